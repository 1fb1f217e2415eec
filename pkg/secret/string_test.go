package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.yaml.in/yaml/v3"

	"github.com/mailyard/mailyard/pkg/secret"
)

const password = "correct horse battery staple"

type holder struct {
	Exported secret.String
	inner    secret.String
	Pointer  *secret.String
}

type login struct{ Password secret.String }

func TestNothingPrintsASecret(t *testing.T) {
	t.Parallel()
	s := secret.NewString(password)
	h := holder{s, s, &s}
	var out bytes.Buffer
	for _, v := range []any{s, &s, h, &h, []secret.String{s}, map[string]secret.String{"k": s}, fmt.Errorf("dialing: %v", s)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
	}
	fmt.Fprintln(&out, s.String(), s.GoString())

	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal, "xml": xml.Marshal} {
		b, err := marshal(login{s})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !strings.Contains(string(b), secret.Placeholder) {
			t.Errorf("%s shows %s; want the placeholder", name, b)
		}
		out.Write(b)
	}
	if err := gob.NewEncoder(&out).Encode(login{s}); err != nil {
		t.Fatal(err)
	}

	for _, encoder := range []zapcore.Encoder{zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig())} {
		log := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(&out), zap.DebugLevel))
		log.Info("signing in", zap.Any("any", s), zap.Stringer("stringer", s), zap.Reflect("reflect", h), zap.Any("struct", h), zap.Any("list", []secret.String{s}))
		log.Sugar().Infow("signing in", "password", s, "holder", h)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("signing in", "password", s, "holder", h)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("signing in", "password", s, "holder", h)

	hexed := fmt.Sprintf("%x", password)
	for _, shown := range []string{password, hexed, strings.ToUpper(hexed), "horse"} {
		if strings.Contains(out.String(), shown) {
			t.Errorf("the output shows %q:\n%s", shown, out.String())
		}
	}
}

func TestStringHoldsItsText(t *testing.T) {
	t.Parallel()
	var empty secret.String
	s := secret.NewString(password)
	if s.Reveal() != password || empty.Reveal() != "" || !empty.IsZero() || s.IsZero() || !secret.NewString("").IsZero() {
		t.Error("a secret does not hold what it was made of")
	}
	if !s.Equal(secret.NewString(password)) || s.Equal(empty) || s.Equal(secret.NewString(password+"x")) {
		t.Error("Equal does not compare texts")
	}
	var read login
	if err := json.Unmarshal([]byte(`{"password":"`+password+`"}`), &read); err != nil || read.Password.Reveal() != password {
		t.Errorf("reading JSON: %q, %v", read.Password.Reveal(), err)
	}
}

func TestPlaceholderIsNotTakenForASecret(t *testing.T) {
	t.Parallel()
	var read login
	if err := json.Unmarshal([]byte(`{"password":"`+secret.Placeholder+`"}`), &read); err == nil {
		t.Error("a placeholder that was copied from an output was taken for the password")
	}
}
