package lease

import (
	"fmt"
	"testing"
)

func view(ids ...string) []member {
	var v []member
	for _, id := range ids {
		v = append(v, newMember(id))
	}
	return v
}

func TestRendezvousSpreadsEvenlyAndMovesLittle(t *testing.T) {
	t.Parallel()
	const resources = 20000
	var before []member
	for replicas := 1; replicas <= 12; replicas++ {
		newcomer := fmt.Sprintf("replica-%d", replicas)
		after := append(before[:len(before):len(before)], newMember(newcomer))
		count := map[string]int{}
		for i := range resources {
			r := fmt.Sprintf("tenant-%d/mailbox-%d", i%7, i)
			now := owner(after, r)
			count[now]++
			if len(before) == 0 {
				continue
			}
			if then := owner(before, r); now != then && now != newcomer {
				t.Fatalf("%s moved from %s to %s when %s came", r, then, now, newcomer)
			}
		}
		mean := resources / replicas
		for id, n := range count {
			if n < mean*85/100 || n > mean*115/100 {
				t.Errorf("%d replicas: %s has %d of %d; mean is %d", replicas, id, n, resources, mean)
			}
		}
		before = after
	}
}

func TestRendezvousDoesNotDependOnOrder(t *testing.T) {
	t.Parallel()
	for i := range 100 {
		r := fmt.Sprint(i)
		if a, b := owner(view("x", "y", "z"), r), owner(view("z", "x", "y"), r); a != b {
			t.Errorf("%s belongs to %s or %s", r, a, b)
		}
	}
}

func TestDamperActsOnAStableViewOnly(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		beats []string // the members seen at each heartbeat, a letter each
		want  string   // the views that were acted upon after each
	}{
		{"alone at once", []string{"a", "a"}, "a a"},
		{"not alone: after two heartbeats", []string{"ab", "ab", "ab"}, "- - ab"},
		{"newcomer", []string{"a", "ab", "ab", "ab"}, "a a a ab"},
		{"newcomer that goes again", []string{"a", "ab", "ab", "a", "a", "a"}, "a a a a a a"},
		{"restart", []string{"ab", "ab", "ab", "a", "ab", "ab", "ab"}, "- - ab ab ab ab ab"},
		{"flush", []string{"ab", "ab", "ab", "b", "ab", "ab"}, "- - ab ab ab ab"},
		{"death", []string{"ab", "ab", "ab", "a", "a", "a"}, "- - ab ab ab a"},
		{"order does not matter", []string{"ab", "ba", "ab"}, "- - ab"},
	}
	for _, c := range cases {
		var d damper
		got := ""
		for _, beat := range c.beats {
			var ids []string
			for _, r := range beat {
				ids = append(ids, string(r))
			}
			d.observe(ids)
			if got != "" {
				got += " "
			}
			if d.view == nil {
				got += "-"
			}
			for _, m := range d.view {
				got += m.id
			}
		}
		if got != c.want {
			t.Errorf("%s: acted upon %q; want %q", c.name, got, c.want)
		}
	}
}
