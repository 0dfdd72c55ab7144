// Package sftp pools SFTP clients of an SSH connection. A check is any request, and those have results.
package sftp

import "github.com/pkg/sftp"

//go:generate go tool poolgen -type=sftp.Client -create=sftp.NewClient

func pingClient(c *sftp.Client) error {
	_, err := c.Getwd()
	return err
}
