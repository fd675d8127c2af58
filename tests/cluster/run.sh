#!/usr/bin/env bash
# Measure a small survey on a real Slurm of two nodes, and compare with one process:
#     bash tests/cluster/run.sh
# Shown: two nodes; a job that is preempted and requeued; a node daemon that is killed; a sweep.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/cluster/slurm.sh
source tests/cluster/slurm.sh

why=$(slurm_missing)
if [ -n "$why" ]; then
    echo "skipped: no Slurm here: $why"
    exit 0
fi

scratch=$(mktemp -d)
chmod 755 "$scratch"
trap 'slurm_stop; rm -rf "$scratch" || true' EXIT
slurm_start "$scratch/slurm"

# The nodes are daemons of this machine, and their names are in no name service.
export MASTER_ADDR=127.0.0.1 OMP_NUM_THREADS=1 PYTHONPATH=$PWD TORCHFIT_CACHE=$scratch/cache
python tests/cluster/survey.py "$scratch"
mapfile -t survey <"$scratch/options.txt"
two_nodes=(trainer=slurm trainer.num_nodes=2)

said() { printf '%-48s %s\n' "$1" "$2"; }
equal() {  # equal FOLDER WHAT: the tables are those of one process.
    local table
    for table in catalogue.parquet catalogue.fits catalogue.csv rejects.csv; do
        cmp "$scratch/one/$table" "$1/$table"
    done
    [ -z "$(find "$1" -maxdepth 1 -name 'work-*')" ]
    said "$2" "same bytes"
}
n_parts() { find "$1" -path '*/parts/part-*.parquet' 2>/dev/null | wc -l; }
has_parts() { [ "$(n_parts "$1")" -ge "$2" ]; }
is_in_state() { [ "$(squeue -h -j "$1" -o %T)" = "$2" ]; }
has_ended() { [ -z "$(squeue -h -j "$1" -o %T)" ]; }
finish_now() {  # finish_now JOB: without the two minutes that Slurm lets a requeued job wait.
    scontrol update "JobId=$1" StartTime=now
    slurm_wait_for 200 "the end of the requeued job" has_ended "$1" && return
    # Slurm 22 may give a node that has just come back to the job and never to its step.
    scontrol requeue "$1"
    slurm_wait_for 60 "the job to be requeued" is_in_state "$1" PENDING
    sleep 5
    scontrol update "JobId=$1" StartTime=now
    slurm_wait_for 200 "the end of the requeued job" has_ended "$1"
}
submit() {  # submit FOLDER: two nodes in a batch job, which Slurm requeues, or itself when it fails.
    sbatch --parsable -N2 --ntasks-per-node=1 --requeue --open-mode=append -o "$1.log" \
        --export=ALL,TORCHFIT_TEST_PAUSE=3 \
        --wrap "srun --kill-on-bad-exit=1 python infer.py $(printf '%q ' "${survey[@]}" \
            "${two_nodes[@]}" "hydra.run.dir=$1") || scontrol requeue \$SLURM_JOB_ID"
}

python infer.py "${survey[@]}" "hydra.run.dir=$scratch/one" >"$scratch/one.log" 2>&1
said "one process" "$(tail -n 1 "$scratch/one.log")"

srun -N2 --ntasks-per-node=1 python infer.py "${survey[@]}" "${two_nodes[@]}" \
    "hydra.run.dir=$scratch/two" >"$scratch/two.log" 2>&1 || { cat "$scratch/two.log"; exit 1; }
equal "$scratch/two" "two nodes, one task each"

if srun -N2 --ntasks-per-node=1 python infer.py "${survey[@]}" "hydra.run.dir=$scratch/three" \
    >"$scratch/three.log" 2>&1; then
    echo "two tasks without trainer=slurm were not refused" && exit 1
fi
said "two tasks without trainer=slurm" "$(grep -om1 'error: srun has started.*' "$scratch/three.log")"

job=$(submit "$scratch/preempted")
slurm_wait_for 180 "the first parts" has_parts "$scratch/preempted" 2
sbatch --parsable -p high -N2 --ntasks-per-node=1 -o /dev/null --wrap "sleep 5" >/dev/null
slurm_wait_for 60 "the preemption" is_in_state "$job" PENDING
said "preempted by a job of higher priority" "$(n_parts "$scratch/preempted") parts are kept"
finish_now "$job"
equal "$scratch/preempted" "requeued"

job=$(submit "$scratch/crashed")
slurm_wait_for 180 "the first parts" has_parts "$scratch/crashed" 2
slurm_crash n2
slurm_wait_for 120 "the job to be requeued" is_in_state "$job" PENDING
said "node n2 is lost" "$(n_parts "$scratch/crashed") parts are kept"
slurmd -N n2
# A job that starts before Slurm has made up its mind about the node waits for it without end.
slurm_wait_for 60 "two idle nodes" slurm_has_two_idle
sleep 5
finish_now "$job"
equal "$scratch/crashed" "requeued"

if python -c "import hydra_plugins.hydra_submitit_launcher" 2>/dev/null; then
    python infer.py -m hydra/launcher=submitit_slurm hydra.launcher.partition=low \
        hydra.launcher.timeout_min=10 hydra.launcher.mem_gb=null hydra.launcher.cpus_per_task=1 \
        "${survey[@]}" match.t=10,40 "hydra.sweep.dir=$scratch/sweep" >"$scratch/sweep.log" 2>&1 ||
        { cat "$scratch/sweep.log"; exit 1; }
    [ "$(find "$scratch/sweep" -name catalogue.parquet | wc -l)" = 2 ]
    said "a sweep of two values, a job each" "two catalogues"
else
    said "a sweep" "skipped: pip install 'torchfit[cluster]' for hydra-submitit-launcher"
fi
