package pgstore

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5"
)

// copyRows encodes rows for COPY … (FORMAT binary), in the format of the page
// of COPY in the PostgreSQL manual. Large values are referred to, not copied:
// besides them a batch of large mail takes no memory, and the connection sends
// straight from the mail's bytes.
type copyRows struct {
	done    net.Buffers
	current []byte
}

// refer is the size in bytes from which a value is referred to.
const refer = 4 << 10

func newCopyRows() *copyRows {
	return &copyRows{current: []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")}
}

func (c *copyRows) row(fields int) {
	c.current = binary.BigEndian.AppendUint16(c.current, uint16(fields))
}

func (c *copyRows) length(n int) {
	c.current = binary.BigEndian.AppendUint32(c.current, uint32(n))
}

func (c *copyRows) null() { c.current = append(c.current, 0xff, 0xff, 0xff, 0xff) }

func (c *copyRows) bigint(n int64) {
	c.length(8)
	c.current = binary.BigEndian.AppendUint64(c.current, uint64(n))
}

func (c *copyRows) integer(n int) {
	c.length(4)
	c.current = binary.BigEndian.AppendUint32(c.current, uint32(n))
}

func (c *copyRows) boolean(b bool) {
	c.length(1)
	if b {
		c.current = append(c.current, 1)
	} else {
		c.current = append(c.current, 0)
	}
}

func (c *copyRows) text(s string) {
	c.length(len(s))
	if len(s) < refer {
		c.current = append(c.current, s...)
		return
	}
	c.append([]byte(s))
}

// jsonb writes a JSON text; the empty string is NULL.
func (c *copyRows) jsonb(s string) {
	if s == "" {
		c.null()
		return
	}
	c.length(1 + len(s))
	c.current = append(c.current, 1) // version of the format
	c.current = append(c.current, s...)
}

func (c *copyRows) bytea(b []byte) {
	c.length(len(b))
	if len(b) < refer {
		c.current = append(c.current, b...)
		return
	}
	c.append(b)
}

func (c *copyRows) append(b []byte) {
	c.done = append(c.done, c.current, b)
	c.current = nil
}

// send copies the rows into a table. copyRows cannot be used after it.
func (c *copyRows) send(ctx context.Context, tx pgx.Tx, table, columns string) error {
	c.current = append(c.current, 0xff, 0xff) // trailer
	c.done = append(c.done, c.current)
	if _, err := tx.Conn().PgConn().CopyFrom(ctx, &c.done, "COPY "+table+" ("+columns+") FROM STDIN (FORMAT binary)"); err != nil {
		return fmt.Errorf("copying into %s: %w", table, err)
	}
	return nil
}
