package deploytest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

type object struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string // of a ConfigMap
	Spec     struct {
		Selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		} `yaml:"selector"`
		ScaleTargetRef struct{ Kind, Name string } `yaml:"scaleTargetRef"`
		Template       struct {
			Metadata struct{ Labels map[string]string }
			Spec     struct {
				TerminationGracePeriodSeconds int `yaml:"terminationGracePeriodSeconds"`
				Containers                    []container
				Volumes                       []struct {
					Projected struct {
						DefaultMode int `yaml:"defaultMode"`
						Sources     []struct {
							Secret struct{ Items []struct{ Key, Path string } }
						}
					}
				}
			}
		}
	}
}

type container struct {
	Name, Image string
	EnvFrom     []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Env   []struct{ Name, Value string }
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	StartupProbe   probe `yaml:"startupProbe"`
	LivenessProbe  probe `yaml:"livenessProbe"`
	ReadinessProbe probe `yaml:"readinessProbe"`
	VolumeMounts   []struct {
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

func objects(t *testing.T) (deployments map[string]object, others []object, settings map[string]string) {
	t.Helper()
	deployments = map[string]object{}
	for _, name := range below(t, "deploy/kubernetes", ".yaml") {
		if strings.HasSuffix(name, "/kustomization.yaml") {
			continue
		}
		for _, o := range decode[object](t, name) {
			switch o.Kind {
			case "Deployment":
				deployments[o.Metadata.Name] = o
			case "ConfigMap":
				settings = o.Data
			default:
				others = append(others, o)
			}
		}
	}
	return deployments, others, settings
}

func TestKubernetesFitsTheCode(t *testing.T) {
	t.Parallel()
	deployments, others, settings := objects(t)
	for _, program := range programs(t) {
		d, ok := deployments[program]
		if program == "mailyard" {
			continue
		}
		if !ok {
			t.Errorf("%s is missing", program)
			continue
		}
		checkDeployment(t, program, d, settings)
		delete(deployments, program)
	}
	for name := range deployments {
		t.Errorf("%s is no program", name)
	}
	deployments, _, _ = objects(t)
	for _, o := range others {
		if o.Kind == "Service" { // its selector has another form; what it is for has its name
			if _, ok := deployments[o.Metadata.Name]; !ok {
				t.Errorf("Service %s is for nothing that is there", o.Metadata.Name)
			}
			continue
		}
		target := o.Spec.ScaleTargetRef.Name
		if o.Kind == "PodDisruptionBudget" {
			target = o.Spec.Selector.MatchLabels["app.kubernetes.io/name"]
		}
		if _, ok := deployments[target]; !ok {
			t.Errorf("%s %s is for %q, which is not there", o.Kind, o.Metadata.Name, target)
		}
	}
}

func checkDeployment(t *testing.T, program string, d object, settings map[string]string) {
	t.Helper()
	pod := d.Spec.Template.Spec
	c := pod.Containers[0]
	if c.Image != "mailyard/"+program || len(pod.Containers) != 1 {
		t.Errorf("%s runs %s", program, c.Image)
	}
	if len(d.Spec.Selector.MatchLabels) == 0 {
		t.Errorf("%s selects no pods", program)
	}
	for label, value := range d.Spec.Selector.MatchLabels {
		if d.Spec.Template.Metadata.Labels[label] != value {
			t.Errorf("%s does not select its pods by %s", program, label)
		}
	}
	if c.StartupProbe.HTTPGet.Path != "/healthz" || c.LivenessProbe.HTTPGet.Path != "/healthz" || c.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Errorf("%s is probed at other paths than process.Run serves", program)
	}
	port := c.Ports[0]
	for _, p := range []probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
		if p.HTTPGet.Port != port.Name {
			t.Errorf("%s is probed at port %s", program, p.HTTPGet.Port)
		}
	}

	// The secrets' files, as the volume has them.
	dir := t.TempDir()
	if pod.Volumes[0].Projected.DefaultMode != 0o440 {
		t.Errorf("%s: secrets have mode %o", program, pod.Volumes[0].Projected.DefaultMode)
	}
	values := map[string]string{"control_url": "postgres://host/control", "messaging_url": "postgres://host/mailyard", "redis_url": "redis://host:6379"}
	var files []string
	for _, source := range pod.Volumes[0].Projected.Sources {
		for _, item := range source.Secret.Items {
			value, ok := values[item.Path]
			if !ok {
				value = "hush"
			}
			files = append(files, item.Path)
			if err := os.WriteFile(filepath.Join(dir, item.Path), []byte(value), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var environ []string
	for name, value := range settings {
		environ = append(environ, name+"="+value)
	}
	mount := c.VolumeMounts[0].MountPath
	for _, e := range c.Env {
		environ = append(environ, e.Name+"="+e.Value)
		if path, ok := strings.CutPrefix(e.Value, mount+"/"); ok {
			files = slices.DeleteFunc(files, func(f string) bool { return f == path })
		}
	}
	if len(files) > 0 {
		t.Errorf("%s gets secrets that nothing reads: %v", program, files)
	}
	s := load(t, environ, map[string]string{mount: dir})
	checkWhatItNeeds(t, program, s)
	if s.Health != ":"+strconv.Itoa(port.ContainerPort) {
		t.Errorf("%s serves its health on %q, and the port is %d", program, s.Health, port.ContainerPort)
	}
	if left := time.Duration(pod.TerminationGracePeriodSeconds)*time.Second - s.Grace; left < 10*time.Second {
		t.Errorf("%s has %s after its grace before it is killed", program, left)
	}
}

func TestKustomizationNamesEveryFile(t *testing.T) {
	t.Parallel()
	k := decode[struct{ Resources []string }](t, "deploy/kubernetes/kustomization.yaml")[0]
	var want []string
	for _, name := range below(t, "deploy/kubernetes", ".yaml") {
		if base := filepath.Base(name); base != "kustomization.yaml" {
			want = append(want, base)
		}
	}
	slices.Sort(want)
	slices.Sort(k.Resources)
	if !slices.Equal(want, k.Resources) {
		t.Errorf("it names %v; there are %v", k.Resources, want)
	}
}
