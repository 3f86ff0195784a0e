// Does the task `convert` for Baton with nothing but a Kafka client: claim by consuming, heartbeat, complete, fail.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Task is what lies on baton.tasks.NAME.
type Task struct {
	RunID           string `json:"runId"`
	AttemptID       string `json:"attemptId"`
	Deadline        int64  `json:"deadline"`
	AnswerPartition int32  `json:"answerPartition"`
	Input           struct {
		Document string  `json:"document"`
		Seconds  float64 `json:"seconds"`
	} `json:"input"`
}

var errRefused = errors.New("document.refused")

// The work itself.
func convert(task Task) (map[string]any, error) {
	time.Sleep(time.Duration(task.Input.Seconds * float64(time.Second)))
	if strings.HasSuffix(task.Input.Document, ".exe") {
		return nil, errRefused
	}
	return map[string]any{"text": "converted " + task.Input.Document}, nil
}

type worker struct {
	client    *kgo.Client
	prefix    string
	heartbeat time.Duration
}

// On the partition that the task names, with the type of the event in a header. Waits for the acknowledgement.
func (w *worker) answer(ctx context.Context, task Task, kind string, data map[string]any) error {
	data["runId"], data["attemptId"] = task.RunID, task.AttemptID
	value, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return w.client.ProduceSync(ctx, &kgo.Record{
		Topic: w.prefix + "baton.events", Partition: task.AnswerPartition, Key: []byte(task.RunID), Value: value,
		Headers: []kgo.RecordHeader{{Key: "ce_type", Value: []byte("baton.step." + kind + ".v1")}},
	}).FirstErr()
}

func (w *worker) work(ctx context.Context, task Task) error {
	if time.Now().UnixMilli() > task.Deadline {
		return nil // Nobody waits for it any more.
	}
	begun := time.Now()
	beating, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for ticker := time.NewTicker(w.heartbeat); ; {
			select {
			case <-beating.Done():
				ticker.Stop()
				return
			case <-ticker.C:
				until := time.Now().Add(3 * w.heartbeat).UnixMilli()
				if err := w.answer(ctx, task, "extended", map[string]any{"untilMs": until}); err != nil {
					log.Println(err)
				}
			}
		}
	}()
	output, err := convert(task)
	stop()
	meter := map[string]any{"latencyMs": time.Since(begun).Milliseconds(), "costMicroUsd": 100}
	if err != nil {
		fault := map[string]any{"code": err.Error(), "message": task.Input.Document + " is no document"}
		return w.answer(ctx, task, "failed", map[string]any{"fault": fault, "meter": meter})
	}
	return w.answer(ctx, task, "completed", map[string]any{"output": output, "meter": meter})
}

func createTopic(ctx context.Context, brokers []string, name string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return err
	}
	defer client.Close()
	request := kmsg.NewPtrCreateTopicsRequest()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 3, -1
	request.Topics = append(request.Topics, topic)
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if err = kerr.ErrorForCode(response.Topics[0].ErrorCode); errors.Is(err, kerr.TopicAlreadyExists) {
		return nil
	}
	return err
}

func setting(name, otherwise string) string {
	if value, found := os.LookupEnv(name); found {
		return value
	}
	return otherwise
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	name := setting("TASK", "convert")
	prefix := setting("BATON_TOPIC_PREFIX", "")
	topic := prefix + "baton.tasks." + name
	heartbeatMs, err := strconv.Atoi(setting("HEARTBEAT_MS", "10000"))
	if err != nil {
		log.Fatal(err)
	}
	brokers := strings.Split(setting("KAFKA_BROKERS", "127.0.0.1:9092"), ",")
	if err = createTopic(ctx, brokers, topic); err != nil {
		log.Fatal(err)
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.GzipCompression()), // Baton reads gzip and uncompressed; this client's default is snappy.
		kgo.ConsumerGroup(setting("GROUP", name+"-workers")),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.SessionTimeout(6*time.Second),
		kgo.HeartbeatInterval(time.Second),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	worker := &worker{client: client, prefix: prefix, heartbeat: time.Duration(heartbeatMs) * time.Millisecond}
	fmt.Println("ready: " + topic)
	for ctx.Err() == nil {
		for _, record := range client.PollRecords(ctx, 1).Records() {
			var task Task
			if err := json.Unmarshal(record.Value, &task); err != nil {
				log.Println(err) // It will not get better by reading it again.
			} else if err := worker.work(ctx, task); err != nil {
				log.Fatal(err) // The offset is not committed: the next worker gets the task again.
			}
			if err := client.CommitRecords(ctx, record); err != nil {
				log.Println(err)
			}
		}
	}
}
