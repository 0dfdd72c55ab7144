package peers

// plainWord is a word that only one goroutine uses.
type plainWord uint64

func (w *plainWord) Load() uint64       { return uint64(*w) }
func (w *plainWord) Store(value uint64) { *w = plainWord(value) }

func (w *plainWord) CompareAndSwap(from, to uint64) bool {
	swapped := *w == plainWord(from)
	if swapped {
		*w = plainWord(to)
	}
	return swapped
}

// needsHealthCheck is how a core calls what it does not call directly.
type needsHealthCheck interface{ NeedsHealthCheck() bool }

type trivialError string

func (e trivialError) Error() string { return string(e) }
