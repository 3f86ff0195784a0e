#!/bin/sh
# Asks for a run and prints its result. Usage: request.sh FLOW INPUT [ID]; the same ID again gives the first result again.
set -eu
brokers=${KAFKA_BROKERS:-127.0.0.1:9092} prefix=${BATON_TOPIC_PREFIX:-} id=${3:-$(cat /proc/sys/kernel/random/uuid)}
since=$(($(date +%s) - 10))000
printf '{"id":"%s","flow":"%s","input":%s}' "$id" "$1" "$2" | kcat -P -b "$brokers" -t "${prefix}baton.requests" -k "$id" -X acks=all
until result=$(kcat -C -q -e -b "$brokers" -t "${prefix}baton.results" -o "s@$since" -f '%h\t%s\n' | grep -m1 "ce_correlationid=$id"); do sleep 0.3; done
printf '%s\n' "$result" | cut -f2
