// Package playwright pools the pages of a browser that Playwright drives.
package playwright

//go:generate go tool poolgen -type=github.com/playwright-community/playwright-go.Page -create=playwright.BrowserContext.NewPage
