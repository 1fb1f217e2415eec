package config

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/secret"
)

func TestTakePassword(t *testing.T) {
	t.Parallel()
	rest, password, problems := TakePassword([]byte(`{"name":"Support","password":"hunter2","max_items":1}`))
	if len(problems) > 0 || string(rest) != `{"name":"Support","max_items":1}` || password == nil || password.Plain.Reveal() != "hunter2" {
		t.Errorf("TakePassword = %s, %v, %v", rest, password, problems)
	}
	for _, keep := range []string{`{}`, `{"password":""}`} {
		if _, password, problems := TakePassword([]byte(keep)); password != nil || len(problems) > 0 {
			t.Errorf("%s: %v, %v; want the password kept", keep, password, problems)
		}
	}
	for raw, want := range map[string]string{
		`{"password":7}`:                            "password: is a number, not text; put it in quotes",
		`{"password":{"vault":"x"}}`:                "password: must be text, {env: NAME} or {file: PATH}",
		`{"password":{"env":"A","file":"B"}}`:       "password: must be text, {env: NAME} or {file: PATH}",
		`{"password":"a\nb"}`:                       "password: holds a control character or a line end",
		`{"password":"` + secret.Placeholder + `"}`: "password: is the placeholder of a hidden password; give the password itself, or leave the key out to keep it",
	} {
		if _, _, problems := TakePassword([]byte(raw)); problems.Error() != want {
			t.Errorf("%s: got %q, want %q", raw, problems, want)
		}
	}
}

func TestResolvePasswords(t *testing.T) {
	t.Parallel()
	env := func(name string) (string, bool) { return "from-env", name == "SET" }
	file := func(name string) ([]byte, error) {
		if name == "/run/secrets/p" {
			return []byte("from-file\r\n"), nil
		}
		return nil, fs.ErrNotExist
	}
	docs := []Document{{Password: &PasswordRef{Env: "SET"}}, {Password: &PasswordRef{File: "/run/secrets/p"}}, {}}
	if err := ResolvePasswords(docs, env, file); err != nil {
		t.Fatal(err)
	}
	if docs[0].Password.Plain.Reveal() != "from-env" || docs[1].Password.Plain.Reveal() != "from-file" || docs[2].Password != nil {
		t.Errorf("resolved: %v", docs)
	}
	docs = []Document{{File: "a.yaml", Line: 3, Password: &PasswordRef{Env: "UNSET"}}, {Password: &PasswordRef{File: "nowhere"}}}
	err := ResolvePasswords(docs, env, file)
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != 2 || !strings.Contains(err.Error(), "a.yaml:3: password: the environment variable UNSET is not set") {
		t.Errorf("%v", err)
	}
}
