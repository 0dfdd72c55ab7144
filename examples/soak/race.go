//go:build race

package main

// raceDetector keeps memory of its own, which grows for a while.
const raceDetector = true
