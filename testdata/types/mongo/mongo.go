// Package mongo pools sessions of MongoDB.
package mongo

//go:generate go tool poolgen -type=go.mongodb.org/mongo-driver/v2/mongo.Session -create=mongo.Client.StartSession -close=EndSession
