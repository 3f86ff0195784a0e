"""Asks for a run and prints its result. Usage: request.py FLOW INPUT [ID]; the same ID again gives the first result again."""
import json, os, sys, uuid
from confluent_kafka import Consumer, Producer, TopicPartition

brokers, prefix = os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092"), os.environ.get("BATON_TOPIC_PREFIX", "")
flow, given, request_id = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else str(uuid.uuid4())
results = Consumer({"bootstrap.servers": brokers, "group.id": f"product.python.{uuid.uuid4()}", "enable.auto.commit": False})
topic = f"{prefix}baton.results"
partitions = [TopicPartition(topic, number) for number in results.list_topics(topic).topics[topic].partitions]
# Read from where the topic ends now, before asking: the result cannot be missed.
results.assign([TopicPartition(topic, one.partition, results.get_watermark_offsets(one)[1]) for one in partitions])
producer = Producer({"bootstrap.servers": brokers, "acks": "all"})
producer.produce(f"{prefix}baton.requests", key=request_id, value=json.dumps({"id": request_id, "flow": flow, "input": given}))
producer.flush()
while True:
    record = results.poll(1.0)
    if record is not None and not record.error() and dict(record.headers() or []).get("ce_correlationid", b"").decode() == request_id:
        print(record.value().decode())
        break
results.close()
