package operation_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// What the registry says of who may ask is what the methods check.
func TestAccessIsWhatTheRegistrySays(t *testing.T) {
	t.Parallel()
	auditor := control.Actor{Name: "auditor", Role: control.RoleReader} // of all tenants
	o := admintest.New(t)
	actors := map[string]control.Actor{"reader": o.Rita.Actor, "administrator": o.Ann.Actor, "landlord": o.Lena.Actor, "administrator of another tenant": o.Rob.Actor, "reader of all tenants": auditor}
	allowed := map[operation.Access][]string{
		operation.AccessRead:     {"reader", "administrator", "landlord", "reader of all tenants"},
		operation.AccessWrite:    {"administrator", "landlord"},
		operation.AccessLandlord: {"landlord"},
	}
	for _, op := range operation.All() {
		may := map[string]bool{}
		for _, who := range allowed[op.Access] {
			may[who] = true
		}
		_, ofTenant := op.Input.FieldByName("Tenant")
		for who, a := range actors {
			office := o
			if (op.Method == http.MethodDelete || op.Name == "dead.replay") && may[who] {
				office = admintest.New(t) // what is done must not be missed by the next one
			}
			raw, err := json.Marshal(admintest.Input(op, office.Acme, office.Ann))
			if err != nil {
				t.Fatal(err)
			}
			_, err = op.Call(t.Context(), office.Desk, a, raw)
			status := http.StatusOK
			if err != nil {
				status = operation.ProblemOf(err).Status
			}
			refused := status == http.StatusForbidden || status == http.StatusNotFound
			switch {
			case op.Access == operation.AccessSignedIn:
				if status >= http.StatusInternalServerError {
					t.Errorf("%s by the %s: %v", op.Name, who, err)
				}
			case may[who] && (refused || status >= http.StatusInternalServerError):
				t.Errorf("%s (%s) by the %s: %v", op.Name, op.Access, who, err)
			case !may[who] && !refused:
				t.Errorf("%s (%s) by the %s is not refused: %v", op.Name, op.Access, who, err)
			case ofTenant && who == "administrator of another tenant" && status != http.StatusNotFound:
				t.Errorf("%s (%s) by the %s: %v; want it not to exist", op.Name, op.Access, who, err)
			}
		}
	}
}
