package main

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/poolgen/poolgen/bench/peers"
	"github.com/poolgen/poolgen/bench/scenarios"
)

// plotted is a metric of the peers in a scenario, each a dot on a logarithmic axis.
type plotted struct {
	file, title string
	scenario    string
	metric      string
}

var plots = []plotted{
	{"s1.svg", "Acquire and release, one goroutine: ns", "S1", "ns/op"},
	{"s2.svg", "Acquire and release, 32 goroutines: ns", "S2/32", "ns/op"},
	{"s3.svg", "64 goroutines on 4 connections: p99 of the wait, ms", "S3", "p99 ms"},
	{"s5.svg", "Deadlines of 50 µs, 200 goroutines on 2 connections: served in a second", "S5", "served/s"},
	{"s8.svg", "50 requesters at once on 5 open connections, dials of 150 ms: ms until all are served", "S8/warm", "ms until all are served"},
	{"s10.svg", "All connections die: ms until requests are served as before", "S10", "ms until recovered"},
}

// The colours stand out on white as well as on black; the background is left to the page.
var (
	ink     = color.NRGBA{0x7d, 0x85, 0x90, 0xff}
	colours = map[peers.Kind]color.NRGBA{
		peers.Generated: {0x2f, 0x81, 0xf7, 0xff},
		peers.Product:   {0xd9, 0x77, 0x1f, 0xff},
		peers.Sketch:    ink,
		peers.Floor:     ink,
	}
)

func init() {
	plot.DefaultFont = font.Font{Typeface: "Liberation", Variant: "Sans"}
	plotter.DefaultFont = plot.DefaultFont
}

// draw makes the file of a plot.
func (m *measurements) draw(p plotted) ([]byte, error) {
	rows := m.rows(p)
	picture, err := picture(p, rows)
	if err != nil {
		return nil, err
	}
	canvas := vgsvg.New(18*vg.Centimeter, vg.Length(len(rows)+4)*0.62*vg.Centimeter)
	picture.Draw(draw.Crop(draw.New(canvas), 6, -6, 6, -6))
	var svg bytes.Buffer
	_, err = canvas.WriteTo(&svg)
	return bytes.ReplaceAll(svg.Bytes(), []byte("font-family:Liberation Sans"), []byte("font-family:Liberation Sans,Arial,sans-serif")), err
}

// picture has a row for each peer, the best one on top, with the quartiles as a line.
func picture(p plotted, rows []row) (*plot.Plot, error) {
	picture := plot.New()
	picture.BackgroundColor = nil // the page's
	picture.Title.Text = p.title
	colourAxes(picture)
	if len(rows) == 0 {
		picture.Title.Text += " (not measured)"
		return picture, nil
	}
	names := make([]string, len(rows))
	for i, row := range rows {
		names[i] = row.Name
		if err := addRow(picture, float64(i), row); err != nil {
			return nil, err
		}
	}
	picture.NominalY(names...)
	picture.X.Scale, picture.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	// The numbers right of the dots need room.
	picture.X.Min /= 1.2
	picture.X.Max *= 1.8
	return picture, nil
}

// row is a peer in a plot.
type row struct {
	scenarios.Offer
	summary
}

// rows are the peers from the worst to the best.
func (m *measurements) rows(p plotted) (rows []row) {
	more := false
	for _, scenario := range scenarios.All {
		for _, metric := range scenario.Metrics {
			if scenario.Name == p.scenario && metric.Name == p.metric {
				more = metric.More
			}
		}
	}
	for _, o := range m.offers {
		if s := summarise(m.values(p.scenario, o.Name, p.metric)); s.median > 0 {
			rows = append(rows, row{o, s})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		if more {
			a, b = b, a
		}
		return int(math.Copysign(1, b.median-a.median))
	})
	return rows
}

func colourAxes(picture *plot.Plot) {
	picture.Title.TextStyle.Color = ink
	for _, axis := range []*plot.Axis{&picture.X, &picture.Y} {
		axis.Color = ink
		axis.Label.TextStyle.Color, axis.Tick.Label.Color, axis.Tick.Color = ink, ink, ink
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color = color.NRGBA{ink.R, ink.G, ink.B, 0x50}
	grid.Horizontal.Width = 0
	picture.Add(grid)
}

// addRow draws the dot, the quartiles and the number of a row.
func addRow(picture *plot.Plot, y float64, row row) error {
	at := plotter.XYs{{X: row.median, Y: y}}
	dot, err := plotter.NewScatter(at)
	if err != nil {
		return err
	}
	dot.Color, dot.Shape, dot.Radius = colours[row.Kind], draw.CircleGlyph{}, vg.Points(4)
	quartiles, err := plotter.NewLine(plotter.XYs{{X: row.low, Y: y}, {X: row.high, Y: y}})
	if err != nil {
		return err
	}
	quartiles.Color, quartiles.Width = colours[row.Kind], vg.Points(2)
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: at, Labels: []string{fmt.Sprintf("   %s", number(row.median, ""))}})
	if err != nil {
		return err
	}
	labels.TextStyle[0].Color, labels.TextStyle[0].YAlign = colours[row.Kind], draw.YCenter
	picture.Add(quartiles, dot, labels)
	return nil
}
