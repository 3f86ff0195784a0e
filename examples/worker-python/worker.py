"""Does the task `convert` for Baton with nothing but a Kafka client: claim by consuming, heartbeat, complete, fail."""

import json
import os
import threading
import time

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError

BROKERS = os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092").split(",")
TASK = os.environ.get("TASK", "convert")
GROUP = os.environ.get("GROUP", f"{TASK}-workers")
PREFIX = os.environ.get("BATON_TOPIC_PREFIX", "")
HEARTBEAT_S = float(os.environ.get("HEARTBEAT_MS", "10000")) / 1000
TOPIC = f"{PREFIX}baton.tasks.{TASK}"


class Refused(Exception):
    """A fault with a code of this team's own."""


def convert(document, seconds=0, **_):
    """The work itself."""
    time.sleep(seconds)
    if document.endswith(".exe"):
        raise Refused(f"{document} is no document")
    return {"text": f"converted {document}"}


def answer(producer, task, kind, **data):
    """On the partition that the task names, with the type of the event in a header. Waits for the acknowledgement."""
    value = json.dumps({"runId": task["runId"], "attemptId": task["attemptId"], **data}).encode()
    producer.send(
        f"{PREFIX}baton.events",
        key=task["runId"].encode(),
        value=value,
        partition=task["answerPartition"],
        headers=[("ce_type", f"baton.step.{kind}.v1".encode())],
    ).get(timeout=30)


def beat(producer, task, done):
    while not done.wait(HEARTBEAT_S):
        answer(producer, task, "extended", untilMs=int((time.time() + 3 * HEARTBEAT_S) * 1000))


def work(producer, task):
    if time.time() * 1000 > task["deadline"]:
        return  # Nobody waits for it any more.
    begun = time.time()
    done = threading.Event()
    threading.Thread(target=beat, args=(producer, task, done), daemon=True).start()

    def meter():
        return {"latencyMs": int((time.time() - begun) * 1000), "costMicroUsd": 100}

    try:
        output = convert(**task["input"])
    except Exception as error:  # pylint: disable=broad-except
        done.set()
        code = "document.refused" if isinstance(error, Refused) else "tool.failed"
        answer(producer, task, "failed", fault={"code": code, "message": str(error)}, meter=meter())
    else:
        done.set()
        answer(producer, task, "completed", output=output, meter=meter())


def main():
    try:
        KafkaAdminClient(bootstrap_servers=BROKERS).create_topics([NewTopic(TOPIC, num_partitions=3, replication_factor=1)])
    except TopicAlreadyExistsError:
        pass
    producer = KafkaProducer(bootstrap_servers=BROKERS, acks="all", linger_ms=0)
    # The client tells Kafka by a thread of its own that it lives; a task may take as long as max_poll_interval_ms.
    consumer = KafkaConsumer(
        TOPIC,
        bootstrap_servers=BROKERS,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=1,
        max_poll_interval_ms=3_600_000,
        session_timeout_ms=6_000,
        heartbeat_interval_ms=1_000,
    )
    print(f"ready: {TOPIC}", flush=True)
    for message in consumer:
        work(producer, json.loads(message.value))
        consumer.commit()  # After the answer was acknowledged: who dies in between leaves the task to the next one.


if __name__ == "__main__":
    main()
