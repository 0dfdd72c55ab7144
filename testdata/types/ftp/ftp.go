// Package ftp pools connections to an FTP server.
package ftp

//go:generate go tool poolgen -type=github.com/jlaffaye/ftp.ServerConn -create=ftp.Dial -check=NoOp -close=Quit
