#!/usr/bin/env bash
# A real Slurm with two nodes on this machine: source it, then slurm_start FOLDER, slurm_stop.
# Needs root and Debian's slurm-wlm and munge.

slurm_missing() {  # Say why there can be no Slurm here, or nothing.
    [ "$(id -u)" = 0 ] || { echo "not root"; return; }
    command -v slurmctld munged srun >/dev/null && return
    command -v apt-get >/dev/null || { echo "no apt-get to install slurm-wlm"; return; }
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y slurm-wlm munge; } \
        >/dev/null 2>&1 || echo "slurm-wlm and munge cannot be installed"
}

slurm_start() {
    local folder=$1 host
    host=$(hostname -s)
    export SLURM_CONF=$folder/slurm.conf SLURM_FOLDER=$folder
    mkdir -p "$folder/state" /run/munge
    chmod 755 "$folder"
    chown munge: /run/munge
    [ -s /etc/munge/munge.key ] || su -s /bin/sh munge -c /usr/sbin/mungekey
    su -s /bin/sh munge -c "munged --force --pid-file=/run/munge/torchfit.pid" 2>/dev/null
    slurm_conf "$folder" "$host" >"$SLURM_CONF"
    slurmctld
    slurmd -N n1
    slurmd -N n2
    slurm_wait_for 30 "two idle nodes" slurm_has_two_idle
}

slurm_conf() {
    cat <<CONF
ClusterName=torchfit
SlurmctldHost=$2(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool_%n
SlurmctldLogFile=$1/slurmctld.log
SlurmdLogFile=$1/slurmd_%n.log
SlurmctldPidFile=$1/slurmctld.pid
SlurmdPidFile=$1/slurmd_%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
MpiDefault=none
KillWait=2
SlurmdTimeout=15
NodeName=n[1-2] NodeHostname=$2 NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=1 RealMemory=1000
PartitionName=low Nodes=n[1-2] Default=YES State=UP PriorityTier=1
PartitionName=high Nodes=n[1-2] State=UP PriorityTier=10
CONF
}

slurm_has_two_idle() { [ "$(sinfo -h -p low -t idle -o %D)" = 2 ]; }

slurm_wait_for() {  # slurm_wait_for SECONDS WHAT COMMAND...
    local left=$(($1 * 5)) what=$2
    shift 2
    until "$@" 2>/dev/null; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { echo "waited in vain for $what" >&2; return 1; }
        sleep 0.2
    done
}

slurm_crash() {  # slurm_crash NODE: its daemon and all that it has started die at once.
    local file process parent doomed=()
    for file in /proc/[0-9]*/environ; do
        process=${file//[!0-9]/}
        grep -qz "^SLURMD_NODENAME=$1$" "$file" 2>/dev/null || continue
        parent=$(ps -o ppid= -p "$process" | tr -d ' ')
        doomed+=("$process")
        [ "$(ps -o comm= -p "$parent")" = slurmstepd ] && doomed+=("$parent")
    done
    kill -9 "$(cat "$SLURM_FOLDER/slurmd_$1.pid")" "${doomed[@]}" 2>/dev/null
}

slurm_stop() {
    local file daemon
    for file in "$SLURM_FOLDER"/slurmd_n?.pid "$SLURM_FOLDER"/slurmctld.pid /run/munge/torchfit.pid
    do
        [ -s "$file" ] || continue
        daemon=$(cat "$file")
        kill "$daemon" 2>/dev/null || continue
        # It writes its state once more before it ends, into the folder that is to be removed.
        for _ in $(seq 100); do kill -0 "$daemon" 2>/dev/null || break; sleep 0.1; done
    done
    return 0
}
