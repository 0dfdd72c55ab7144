// Package mqtt pools MQTT clients. Connect returns a token, which has the error, and Disconnect takes milliseconds.
package mqtt

import (
	"context"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

//go:generate go tool poolgen -type=mqtt.Client -create=mqtt.NewClient -after-create=connect -after-release=IsConnectionOpen

func connect(ctx context.Context, c mqtt.Client) error {
	token := c.Connect()
	select {
	case <-token.Done():
		return token.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func closeClient(c mqtt.Client) { c.Disconnect(250) }
