# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
#
# The part of tests/bench/evaluation/run about memory sizes: simulated memory of up to 64 TiB on this
# machine, and page_idle in guests of several sizes, where the cost is counted in instructions. Sourced by it.

# An eighth is touched every 10 ms, an eighth every 3 s, the rest never: 12.5 % idle for less than 1 s (25 %
# while the second eighth's second runs), 25 % for less than 6 s.
sim_sizes_gib="4 64 1024 16384 65536"
sim_settle_s=70 sim_window_s=30

sim_memory() { echo "sim=$(($1 * 1024 / 8))M@10ms+$(($1 * 1024 / 8))M@3s+$(($1 * 1024 * 3 / 4))M@never"; }

engine_ns() { cut -d ' ' -f 1 "/proc/$1/task/$2/schedstat"; }

# In a mount namespace of its own: all the sizes at once, each with its own daemon.
scale_sim() { # MONITOR ESTIMATOR-OPTIONS
  local gib pid tid begin=() pids=() settle=$sim_settle_s window=$sim_window_s
  for gib in $sim_sizes_gib; do
    mkdir -p "$work/sim/$gib"
    "$binary" -f -o "ops=sim,abi=7.2,enabled=Y,$(sim_memory "$gib")$2" "$work/sim/$gib" \
      2> "$work/sim/$gib.log" &
    pids[gib]=$!
  done
  sleep "$settle"
  for gib in $sim_sizes_gib; do
    tid=$(cat "$work/sim/$gib/kdamond_pid" 2> /dev/null || echo 0)
    begin[gib]="$tid $(engine_ns "${pids[gib]}" "$tid" 2> /dev/null || echo 0) $(date +%s%N)"
  done
  sleep "$window"
  for gib in $sim_sizes_gib; do
    read -r tid begin_cpu_ns begin_ns <<< "${begin[gib]}"
    if pid=${pids[gib]} && kill -0 "$pid" 2> /dev/null && [ "$tid" != 0 ]; then
      printf 'EVAL\tscale\tsim-%s\t%s\t%s\t%s\t%s\n' "$gib" "$1" \
        "$(awk -v c="$(($(engine_ns "$pid" "$tid") - begin_cpu_ns))" -v t="$(($(date +%s%N) - begin_ns))" \
          'BEGIN { printf "%.4f", 100 * c / t }')" \
        "$(cat "$work/sim/$gib/aggr_interval_us")" "$(cat "$work/sim/$gib/memory_idle_ms_percentiles")"
      umount "$work/sim/$gib" || kill "$pid"
    else
      printf 'EVAL\tfailed\tsim-%s\t%s\t%s\n' "$gib" "$1" "$(head -n 1 "$work/sim/$gib.log")"
      kill "$pid" 2> /dev/null || true
    fi
    wait "$pid" 2> /dev/null || true
  done
}

run_scale_sim() {
  local name
  mkdir -p "$work/sim"
  for name in ${monitors:-pages regions}; do
    case $name in pages | regions) ;; *) continue ;; esac
    scale_sim "$name" ",estimator=$name${options:+,$options}"
  done > "$logs/scale-sim.log"
  cut -d ' ' -f 1 /proc/loadavg > "$work/load"
  collect scale scale-sim
}

# An eighth of the memory is hot and a quarter is cold. Sizes that this machine cannot hold are left out.
run_scale_guests() {
  local gib free_gib seconds=30
  free_gib=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  for gib in ${DAMON_STATFS_SCALE_GIB-1 4 8 20}; do
    # Only what is touched needs memory here: three eighths, and a sixty-fourth for the page structures.
    [ $((gib * 2 / 5 + 1)) -lt "$free_gib" ] || { say "no memory for a guest of $gib GiB"; continue; }
    machine=$counted guest_mib=$((gib * 1024)) watch scale hot16 3600 30 500 \
      "--pause-ms,49,--hot,$((gib * 128))M,--cold,$((gib * 256))M" "guest-$gib"
  done
}

run_scale() {
  run_scale_sim
  run_scale_guests
}
