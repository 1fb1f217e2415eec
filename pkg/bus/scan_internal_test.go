package bus

import (
	"slices"
	"testing"
)

// Of a list of any length no more than twice the limit is held.
func TestLastOf(t *testing.T) {
	t.Parallel()
	var list []int
	for n := range 10_000 {
		if list = append(lastOf(list, 7), n); len(list) > 14 || cap(list) > 32 {
			t.Fatalf("after %d entries %d are held in the room of %d", n, len(list), cap(list))
		}
	}
	if want := []int{9993, 9994, 9995, 9996, 9997, 9998, 9999}; !slices.Equal(list[len(list)-7:], want) {
		t.Errorf("the last are %v; want %v", list, want)
	}
}
