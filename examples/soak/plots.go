package main

import (
	"bytes"
	"image/color"
	"math"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// chart is what changes with time.
type chart struct {
	file, title string
	lines       []line
}

type line struct {
	name  string
	value func(s sample) float64
}

var plots = []chart{
	{"soak-memory.svg", "Memory, MiB", []line{level(0), level(1)}},
	{"soak-goroutines.svg", "Goroutines and file descriptors", []line{level(2), level(3)}},
	{"soak-connections.svg", "Connections, as the servers say", []line{level(4), level(5)}},
	{"soak-latency.svg", "Time until an answer, ms", []line{
		{"p50", func(s sample) float64 { return s.p50 }},
		{"p99", func(s sample) float64 { return s.p99 }},
	}},
	{"soak-requests.svg", "Requests per second", []line{
		{"answered", func(s sample) float64 { return s.answered }},
		{"failed", func(s sample) (all float64) {
			for _, n := range s.failed {
				all += n
			}
			return all
		}},
	}},
	{"soak-errors.svg", "Errors per second, by kind", errorLines()},
}

func level(i int) line {
	return line{levels[i].name, func(s sample) float64 { return s.levels[i] / levels[i].unit }}
}

func errorLines() (lines []line) {
	for i, kind := range kinds {
		lines = append(lines, line{kind.name, func(s sample) float64 { return s.failed[i] }})
	}
	return lines
}

// The colours stand out on white as well as on black; the background is left to the page.
var (
	ink     = color.NRGBA{0x7d, 0x85, 0x90, 0xff}
	colours = []color.NRGBA{
		{0x2f, 0x81, 0xf7, 0xff}, {0xd9, 0x77, 0x1f, 0xff}, {0x2d, 0xa4, 0x4e, 0xff}, {0xcf, 0x4a, 0x5a, 0xff}, {0x9a, 0x6d, 0xe0, 0xff},
		{0x1b, 0x9e, 0xa3, 0xff}, {0xb8, 0x8a, 0x0f, 0xff}, {0xd1, 0x57, 0xa8, 0xff}, ink,
	}
)

func init() {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	plotter.DefaultFont = plot.DefaultFont
}

// draw makes the file of a chart. What is left of the vertical line is the warm-up.
func (c chart) draw(samples []sample, warmUp time.Duration) ([]byte, error) {
	picture := plot.New()
	picture.BackgroundColor = nil // the page's
	picture.Title.Text, picture.X.Label.Text = c.title, "minutes"
	picture.Title.TextStyle.Color, picture.Legend.TextStyle.Color = ink, ink
	picture.Legend.Top, picture.Legend.Left = true, true
	picture.Legend.YOffs = vg.Points(2)
	for _, axis := range []*plot.Axis{&picture.X, &picture.Y} {
		axis.Color, axis.Label.TextStyle.Color, axis.Tick.Label.Color, axis.Tick.Color = ink, ink, ink, ink
	}
	for i, line := range c.lines {
		if err := line.add(picture, samples, colours[i]); err != nil {
			return nil, err
		}
	}
	picture.Y.Min = 0
	picture.Y.Max *= 1.1 + 0.07*float64(len(c.lines)) // room for the legend
	mark, err := plotter.NewLine(plotter.XYs{{X: warmUp.Minutes()}, {X: warmUp.Minutes(), Y: picture.Y.Max}})
	if err != nil {
		return nil, err
	}
	mark.Color, mark.Dashes = ink, []vg.Length{vg.Points(2), vg.Points(3)}
	picture.Add(mark)

	canvas := vgsvg.New(18*vg.Centimeter, 7*vg.Centimeter)
	picture.Draw(draw.Crop(draw.New(canvas), 6, -6, 6, -6))
	var svg bytes.Buffer
	_, err = canvas.WriteTo(&svg)
	return bytes.ReplaceAll(svg.Bytes(), []byte("font-family:Liberation Sans"), []byte("font-family:Liberation Sans,Arial,sans-serif")), err
}

// points is how many a line has at the most.
const points = 200

// add draws the line, as means of neighbours if there are too many of them.
func (l line) add(picture *plot.Plot, samples []sample, colour color.Color) error {
	each := len(samples)/points + 1
	var xys plotter.XYs
	for ; len(samples) > 0; samples = samples[min(each, len(samples)):] {
		sum, n := 0.0, 0.0
		for _, s := range samples[:min(each, len(samples))] {
			if v := l.value(s); !math.IsNaN(v) {
				sum, n = sum+v, n+1
			}
		}
		if n > 0 {
			xys = append(xys, plotter.XY{X: samples[0].at.Minutes(), Y: sum / n})
		}
	}
	if len(xys) == 0 {
		return nil
	}
	drawn, err := plotter.NewLine(xys)
	if err != nil {
		return err
	}
	drawn.Color, drawn.Width = colour, vg.Points(1.2)
	picture.Add(drawn)
	picture.Legend.Add(l.name, drawn)
	return nil
}
