package message

import (
	"testing"
	"time"
)

func TestDates(t *testing.T) {
	t.Parallel()
	want := time.Date(2024, time.July, 3, 13, 4, 5, 0, time.UTC)
	for _, s := range []string{
		"Wed, 3 Jul 2024 15:04:05 +0200",
		"Wed, 3 Jul 2024 15:04:05 +0200 (CEST)",
		"Wed, 03 July 2024 15:04:05 +02:00",
		"wed,03 JUL 2024 06:04:05 PDT",
		"3 Jul 2024 13:04:05 GMT",
		"3 Jul 24 13:04:05 UT",
		"3 Jul 124 13:04:05 Z",
		"(comment (nested)) Wed, 3 Jul (July) 2024 13:04:05 -0000",
		"Wed, 3 Jul 2024 13:04:05",
		"Wed, 3 Jul 2024 13:04:05.678 +0000",
		"Wed, 3 Jul 2024 13:04:05 GMT+0000",
		"Wed, 3 Jul 2024 15:04:05 GMT+0200",
		"Wed, 3 Jul 2024 15:04:05 UTC+2",
		"Wed Jul  3 13:04:05 2024",
		"Wed Jul  3 09:04:05 EDT 2024",
		"Mittwoch, 3 Jul 2024 15:04:05 MESZ",
		"2024-07-03T13:04:05Z",
		"2024-07-03T15:04:05.123+02:00",
		"2024-07-03 15:04:05 +0200",
		"2024/07/03 13:04:05",
		"03-Jul-2024 13:04:05 +0000",
		"03.07.2024 13:04:05",
		"07/03/2024 01:04:05 PM",
		"Wed, 3 Jul 2024 01:04:05 PM +0000",
	} {
		if got, exact := parseDate(s); !got.Equal(want) || !exact {
			t.Errorf("%s: %v, %v; want %v, true", s, got, exact, want)
		}
	}
}

func TestAbsurdDatesAreNone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", " ", "yesterday", "31 Feb 2024 10:00:00 +0000", "Thu, 1 Jan 1970 00:00:00 +0000", "1 Jan 9999 00:00:00 +0000",
		"0 Jan 2024 00:00:00 +0000", "12:00:00", "2024", "99999999999999999999 Jan 2024", "-", "+", ":", "1-2", "\xff",
	} {
		if got, exact := parseDate(s); !got.IsZero() || exact {
			t.Errorf("%q: %v, %v; want none", s, got, exact)
		}
	}
}

func TestDatesThatAreHalfRightAreTakenWithADefect(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Time{
		"3 Jul 2024 25:00:00 +0000": time.Date(2024, 7, 3, 0, 0, 0, 0, time.UTC),
		"3 Jul 2024 10:00:00 +9999": time.Date(2024, 7, 3, 10, 0, 0, 0, time.UTC),
		"3 Jul 2024 10:00:00 7 7":   time.Date(2024, 7, 3, 10, 0, 0, 0, time.UTC),
	} {
		if got, exact := parseDate(s); !got.Equal(want) || exact {
			t.Errorf("%s: %v, %v; want %v, false", s, got, exact, want)
		}
	}
}
