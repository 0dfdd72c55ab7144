// Package sqldriver pools the connections of any database/sql driver, without database/sql.
package sqldriver

//go:generate go tool poolgen -type=database/sql/driver.Conn -create=driver.Connector.Connect
