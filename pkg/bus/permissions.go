package bus

import (
	"slices"

	"github.com/mailyard/mailyard/schemas"
)

// A Permission lists the subjects that a NATS user may publish and subscribe
// to: everything else is refused.
type Permission struct {
	Publish   []string
	Subscribe []string
	Responses bool // may answer requests
}

// ServiceAdmin names the user of the admin service, which is the provisioner.
const ServiceAdmin = "admin"

// Configurator names the user of programs of others that change the
// configuration by requests on config.v1.apply.<kind>; see ServerConfig.
const Configurator = "configurator"

// Permissions returns what each service needs, by the name of the service,
// which is its Options.User, and what the configurator does. Only the admin may
// create streams and durable consumers.
func Permissions() map[string]Permission {
	return map[string]Permission{
		Configurator:                    configuratorPermission(Configurator),
		string(schemas.StageFetcher):    fetcherPermission(),
		string(schemas.StageClassifier): classifierPermission(),
		string(schemas.StagePersister):  persisterPermission(),
		string(schemas.StageDisposer):   disposerPermission(),
		ServiceAdmin:                    adminPermission(),
	}
}

// serviceUsers are the users of the services.
func serviceUsers() []string {
	return []string{
		string(schemas.StageFetcher), string(schemas.StageClassifier), string(schemas.StagePersister), string(schemas.StageDisposer), ServiceAdmin,
	}
}

func service(name string, publish ...[]string) Permission {
	subjects := append(slices.Concat(publish...), awaits()...)
	slices.Sort(subjects)
	return Permission{
		Publish:   slices.Compact(subjects),
		Subscribe: append([]string{inboxPrefix + "_" + name + ".>"}, announces(name)...),
		Responses: true, // to discovery
	}
}

// announces is what Announce needs: discovery of all services, of one kind, and
// of one replica (NATS ADR-32).
func announces(name string) []string {
	return []string{"$SRV.*", "$SRV.*." + name, "$SRV.*." + name + ".*"}
}

// configuratorPermission is for a user who may ask for changes and read the
// answers. Whoever shares the user can read them too.
func configuratorPermission(name string) Permission {
	return Permission{Publish: []string{applyRequests}, Subscribe: []string{inboxPrefix + "_" + name + ".>"}}
}

// applyRequests are the subjects of requests for changes.
const applyRequests = "config.v1.apply.>"

func fetcherPermission() Permission {
	return service(string(schemas.StageFetcher),
		[]string{"mail.v1.fetched.>", "mailbox.v1.event.>", "$O." + schemas.BucketBlob + ".>", "$JS.API.STREAM.PURGE." + streamBlob},
		buries(schemas.StageFetcher), readsBlobs(), watches(streamConfig), watches(streamControl))
}

func classifierPermission() Permission {
	stage := schemas.StageClassifier
	return service(string(stage),
		[]string{"mail.v1.classified.>"}, asksForProbes(),
		consumes(schemas.StreamFetchedLight, Durable(stage, schemas.Light)),
		consumes(schemas.StreamFetchedLarge, Durable(stage, schemas.Large)),
		settles(stage), watches(streamConfig))
}

func persisterPermission() Permission {
	stage := schemas.StagePersister
	return service(string(stage),
		[]string{disposePrefix + "*.*", "mail.v1.event.persisted.>", "mail.v1.event.rejected.>"},
		// A delete is a marker in the meta data and a purge of the chunks.
		[]string{"$O." + schemas.BucketBlob + ".M.>", "$JS.API.STREAM.PURGE." + streamBlob},
		consumes(schemas.StreamClassifiedLight, Durable(stage, schemas.Light)),
		consumes(schemas.StreamClassifiedLarge, Durable(stage, schemas.Large)),
		consumes(schemas.StreamEvents, DurablePersisterDisposed),
		settles(stage), readsBlobs(), watches(streamConfig), watches(streamControl))
}

func disposerPermission() Permission {
	stage := schemas.StageDisposer
	return service(string(stage),
		[]string{disposePrefix + "*.*", "mail.v1.event.disposed.>"},
		consumes(schemas.StreamDispose, "*"), // every partition
		settles(stage), watches(streamConfig))
}

func adminPermission() Permission {
	p := service(ServiceAdmin, []string{
		"$JS.API.>", "$JS.ACK.>", "$JS.FC.>", "$KV.>", "$O.>", "$SRV.>",
		"mail.v1.>", "mailbox.v1.>", "config.v1.>",
	})
	p.Subscribe = []string{inboxPrefix + "_" + ServiceAdmin + ".>", applyRequests, "$SRV.>"} // it announces its endpoints too
	return p
}

// consumes is what Subscribe and the ends of a message need.
func consumes(stream, durable string) []string {
	at := stream + "." + durable
	return []string{"$JS.API.CONSUMER.INFO." + at, "$JS.API.CONSUMER.MSG.NEXT." + at, "$JS.ACK." + at + ".>"}
}

// awaits is what AwaitTopology and Epoch need.
func awaits() []string {
	return streamInfo(append(epochStreams(), streamConfig, streamControl, streamBlob)...)
}

// buries is what writing a dead letter needs.
func buries(stage schemas.Stage) []string {
	return []string{"mail.v1.dead." + string(stage) + ".>", "mail.v1.event.dead.>", "$KV." + schemas.BucketControl + "." + parkedPrefix + ">"}
}

// settles is what Settle needs, and what consuming the stage's retries does.
func settles(stage schemas.Stage) []string {
	out := append(buries(stage), retryScheduled+string(stage)+".>", "$JS.API.STREAM.INFO."+schemas.StreamRetry)
	for _, c := range consumers() {
		if owner, ok := stageOf(c.Config.Durable); ok && owner == stage && c.Stream == schemas.StreamRetry {
			out = append(out, consumes(c.Stream, c.Config.Durable)...)
		}
	}
	return out
}

// watches is what reading and watching the stream of a bucket needs.
func watches(stream string) []string {
	return append(streamInfo(stream),
		"$JS.API.INFO",
		"$JS.API.DIRECT.GET."+stream+".>",
		"$JS.API.CONSUMER.CREATE."+stream+".>",
		"$JS.API.CONSUMER.DELETE."+stream+".>",
		"$JS.FC."+stream+".>")
}

// readsBlobs is what getting an object needs: an ordered consumer for each.
func readsBlobs() []string { return watches(streamBlob) }

func streamInfo(streams ...string) []string {
	out := make([]string, 0, len(streams))
	for _, s := range streams {
		out = append(out, "$JS.API.STREAM.INFO."+s)
	}
	return out
}
