package console

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A plot is a chart of values over time, drawn here as SVG. The same figures
// stand in a table below it, for those who do not see it.
type plot struct {
	Title  string
	Unit   string // "mails", "ms"
	Bars   bool   // stacked bars; else lines with an area below
	Times  []time.Time
	Series []series
	Format func(float64) string // nil: as a count
}

// A series is a line or a part of the bars. Values belong to the plot's Times;
// NaN is a gap.
type series struct {
	Name   string
	Values []float64
}

// Size of the drawing, in its own units, and of what surrounds the plane.
const (
	plotWidth, plotHeight = 640.0, 200.0
	plotLeft, plotRight   = 48.0, 8.0
	plotTop, plotBottom   = 8.0, 24.0
)

// A plotShape is a path of a series.
type plotShape struct {
	Class string // "line", "area", "bar"
	Index int    // of the series, which has a colour
	Path  string
}

type plotTick struct {
	At    string // coordinate
	Label string
}

// Empty reports whether there is nothing to draw.
func (p plot) Empty() bool { return p.highest() <= 0 }

// Width and Height are the size of the drawing.
func (p plot) Width() float64  { return plotWidth }
func (p plot) Height() float64 { return plotHeight }

// Left, Right and Bottom are where the plane ends.
func (p plot) Left() float64   { return plotLeft }
func (p plot) Right() float64  { return plotWidth - plotRight }
func (p plot) Bottom() float64 { return plotHeight - plotBottom }

// Summary says in a sentence what is seen.
func (p plot) Summary() string {
	if p.Empty() || len(p.Times) == 0 {
		return p.Title + ": nothing in this time."
	}
	return fmt.Sprintf("%s from %s to %s, at most %s %s.", p.Title, absolute(p.Times[0]), absolute(p.Times[len(p.Times)-1]), p.Text(p.highest()), p.Unit)
}

// Text writes a value.
func (p plot) Text(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case p.Format != nil:
		return p.Format(v)
	case v == math.Trunc(v):
		return countText(int64(v))
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// highest is the largest value, of bars the largest sum.
func (p plot) highest() float64 {
	high := 0.0
	for i := range p.Times {
		sum := 0.0
		for _, s := range p.Series {
			v := s.At(i)
			if p.Bars && !math.IsNaN(v) {
				sum += v
			} else if v > sum {
				sum = v
			}
		}
		high = max(high, sum)
	}
	return high
}

// At returns the value at a time of the plot.
func (s series) At(i int) float64 {
	if i >= len(s.Values) {
		return math.NaN()
	}
	return s.Values[i]
}

// step is the distance of the horizontal lines: 1, 2 or 5 times a power of ten,
// so that there are at most four of them.
func (p plot) step() float64 {
	high := p.highest()
	if high <= 0 {
		return 1
	}
	step := math.Pow(10, math.Floor(math.Log10(high/4)))
	for _, n := range []float64{1, 2, 5, 10} {
		if high/(step*n) <= 4 {
			step *= n
			break
		}
	}
	if p.Format == nil {
		step = max(step, 1)
	}
	return step
}

// top is the value at the upper edge.
func (p plot) top() float64 { return max(math.Ceil(p.highest()/p.step()), 1) * p.step() }

func (p plot) x(i int) float64 {
	width := p.Right() - plotLeft
	if p.Bars {
		return plotLeft + width*float64(i)/float64(max(len(p.Times), 1))
	}
	return plotLeft + width*float64(i)/float64(max(len(p.Times)-1, 1))
}

func (p plot) y(v float64) float64 {
	return p.Bottom() - (p.Bottom()-plotTop)*v/p.top()
}

// Rows are the horizontal lines.
func (p plot) Rows() []plotTick {
	var ticks []plotTick
	for v := 0.0; v <= p.top()+p.step()/2; v += p.step() {
		ticks = append(ticks, plotTick{coordinate(p.y(v)), p.Text(v)})
	}
	return ticks
}

// Marks are the times at the lower edge, six at most.
func (p plot) Marks() []plotTick {
	if len(p.Times) == 0 {
		return nil
	}
	layout := "15:04"
	if p.Times[len(p.Times)-1].Sub(p.Times[0]) > 36*time.Hour {
		layout = "Jan 2"
	}
	every := (len(p.Times) + 5) / 6
	var ticks []plotTick
	for i := every / 2; i < len(p.Times); i += every {
		x := p.x(i)
		if p.Bars {
			x += (p.x(1) - p.x(0)) / 2
		}
		ticks = append(ticks, plotTick{coordinate(x), p.Times[i].UTC().Format(layout)})
	}
	return ticks
}

// Shapes are what is drawn, from back to front.
func (p plot) Shapes() []plotShape {
	if p.Bars {
		return p.bars()
	}
	var shapes []plotShape
	for n, s := range p.Series {
		line, area := p.line(s)
		shapes = append(shapes, plotShape{"area", n, area}, plotShape{"line", n, line})
	}
	return shapes
}

// line returns the path of a series and of what is below it.
func (p plot) line(s series) (line, area string) {
	var l, a strings.Builder
	from := -1
	end := func(i int) {
		if from >= 0 && from == i-1 {
			l.WriteString("m-2 0h4") // one alone would not be seen
		}
		if from >= 0 {
			fmt.Fprintf(&a, "L%s %sL%s %sZ", coordinate(p.x(i-1)), coordinate(p.Bottom()), coordinate(p.x(from)), coordinate(p.Bottom()))
		}
		from = -1
	}
	for i := range p.Times {
		v := s.At(i)
		if math.IsNaN(v) {
			end(i)
			continue
		}
		command := "L"
		if from < 0 {
			command, from = "M", i
		}
		point := fmt.Sprintf("%s%s %s", command, coordinate(p.x(i)), coordinate(p.y(v)))
		l.WriteString(point)
		a.WriteString(point)
	}
	end(len(p.Times))
	return l.String(), a.String()
}

func (p plot) bars() []plotShape {
	paths := make([]strings.Builder, len(p.Series))
	width := p.x(1) - p.x(0)
	gap := min(width*0.2, 2)
	for i := range p.Times {
		below := 0.0
		for n, s := range p.Series {
			v := s.At(i)
			if math.IsNaN(v) || v <= 0 {
				continue
			}
			fmt.Fprintf(&paths[n], "M%s %sH%sV%sH%sZ", coordinate(p.x(i)+gap/2), coordinate(p.y(below)), coordinate(p.x(i)+width-gap/2), coordinate(p.y(below+v)), coordinate(p.x(i)+gap/2))
			below += v
		}
	}
	var shapes []plotShape
	for n := range paths {
		shapes = append(shapes, plotShape{"bar", n, paths[n].String()})
	}
	return shapes
}

func coordinate(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}
