#!/bin/sh
# The one-shot service `migrate` of compose.yaml: schema, roles and seed, then the first API key. Safe to run again.
set -eu
key_file=/run/fairway/admin/api-key

if [ -n "${DUMP:-}" ]; then seed=/run/fairway/dump.sql; else seed=${SEED:-sample}; fi
case $seed in
  sample | none | /run/fairway/dump.sql) ;;
  *) echo "FAIRWAY_SEED: '$seed' is neither sample nor none; name a dump with FAIRWAY_DUMP instead" >&2; exit 2 ;;
esac
fairway migrate --seed "$seed"

# Made once; the database keeps only what recognises it.
if [ ! -s "$key_file" ]; then
  made=$(fairway keys create --name first --scope admin --json)
  printf '%s' "$made" |
    node -e 'process.stdout.write(JSON.parse(require("node:fs").readFileSync(0, "utf8")).key)' >"$key_file"
  echo 'made the first API key'
fi
