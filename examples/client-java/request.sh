#!/bin/sh
# The console tools that come with Kafka. Usage: request.sh FLOW INPUT [ID]; the same ID again gives the first result again.
set -eu
brokers=${KAFKA_BROKERS:-127.0.0.1:9092} prefix=${BATON_TOPIC_PREFIX:-} id=${3:-$(cat /proc/sys/kernel/random/uuid)}
pipe=$(mktemp -u) && mkfifo "$pipe"
kafka-console-consumer.sh --bootstrap-server "$brokers" --topic "${prefix}baton.results" --from-beginning --property print.headers=true >"$pipe" 2>&1 &
reader=$! && trap 'kill "$reader"; rm "$pipe"' EXIT
printf '{"id":"%s","flow":"%s","input":%s}\n' "$id" "$1" "$2" |
  kafka-console-producer.sh --bootstrap-server "$brokers" --topic "${prefix}baton.requests" --sync
grep -m1 "ce_correlationid:$id" "$pipe" | cut -f2
