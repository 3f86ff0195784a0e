// Asks for a run and prints its result. Usage: request FLOW INPUT [ID]; the same ID again gives the first result again.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	brokers, prefix, id := os.Getenv("KAFKA_BROKERS"), os.Getenv("BATON_TOPIC_PREFIX"), fmt.Sprintf("go-%d", time.Now().UnixNano())
	if brokers == "" {
		brokers = "127.0.0.1:9092"
	}
	if len(os.Args) > 3 {
		id = os.Args[3]
	}
	// No group: every client reads all results, from shortly before it asked.
	since := kgo.NewOffset().AfterMilli(time.Now().Add(-10 * time.Second).UnixMilli())
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.ConsumeTopics(prefix+"baton.results"), kgo.ConsumeResetOffset(since))
	must(err)
	defer client.Close()
	body, err := json.Marshal(map[string]any{"id": id, "flow": os.Args[1], "input": json.RawMessage(os.Args[2])})
	must(err)
	must(client.ProduceSync(context.Background(), &kgo.Record{Topic: prefix + "baton.requests", Key: []byte(id), Value: body}).FirstErr())
	for {
		for _, record := range client.PollFetches(context.Background()).Records() {
			for _, header := range record.Headers {
				if header.Key == "ce_correlationid" && string(header.Value) == id {
					fmt.Println(string(record.Value))
					return
				}
			}
		}
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
