package console

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A trial is what is typed into the simulator, or dropped on it.
type trial struct {
	mailbox string
	text    string
	file    []byte // nil: there is none
	name    string // of the file
}

// readTrial reads the form of the simulator part by part: a file that is too
// large is read to its end and forgotten, so that the browser gets an answer.
func (r *request) readTrial() (trial, config.Problems, error) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return trial{mailbox: r.PostFormValue("mailbox"), text: r.PostFormValue("text")}, nil, nil
	}
	var t trial
	var problems config.Problems
	parts, err := r.MultipartReader()
	if err != nil {
		return t, nil, unreadable(err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t, nil, unreadable(err)
		}
		content, err := io.ReadAll(io.LimitReader(part, operation.MaxSimulated+1))
		if err != nil {
			return t, nil, unreadable(err)
		}
		rest, err := io.Copy(io.Discard, part)
		if err != nil {
			return t, nil, unreadable(err)
		}
		if size := int64(len(content)) + rest; size > operation.MaxSimulated {
			problems = append(problems, problemAt("text", "has "+sizeText(size)+"; the simulator takes at most "+sizeText(operation.MaxSimulated)+", the header is enough"))
			continue
		}
		switch part.FormName() {
		case "mailbox":
			t.mailbox = string(content)
		case "text":
			t.text = string(content)
		case "file":
			if part.FileName() != "" {
				t.file, t.name = content, clip(plainLine(part.FileName()), 100)
			}
		}
	}
	return t, problems, nil
}

func problemAt(path, message string) config.Problem {
	return config.Problem{Path: path, Message: message}
}

// unreadable is a form that is broken, unless it is only too large.
func unreadable(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return err
	}
	return &operation.Problem{Title: "Bad request", Status: http.StatusBadRequest, Detail: "The form that was sent cannot be read."}
}
