// Package rabbitmq pools channels of an AMQP 0.9.1 connection.
package rabbitmq

//go:generate go tool poolgen -type=github.com/rabbitmq/amqp091-go.Channel -create=amqp091.Connection.Channel
