"""How Faust is set up for the lane, in one place, for the worker and for tests.

Topics are made by `infra.admin` beforehand, never by Faust; state is the lane's,
so Faust keeps none and writes no changelog.
"""

from __future__ import annotations

from typing import Any

from infra.settings import Settings
from streams.lane.store import MemoryStores, Stores

BATCHES = 4096  # an agent's queue: OPEN_BATCHES a partition bounds it, never this


def conf(settings: Settings) -> dict[str, Any]:
    """Return keyword arguments for `App`."""
    session = settings.session_seconds  # a restart under the same name is at once
    return {
        "brokers": settings.brokers,
        "prefix": settings.topic_prefix,
        "partitions": settings.partitions,
        "datadir": str(settings.home / "worker" / settings.instance),
        "stores": stores(settings),
        "store": "memory://",
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "topic_partitions": settings.partitions,
        "topic_replication_factor": settings.replication,
        "table_standby_replicas": settings.standbys,
        "cython_optimizations": True,
        "broker_session_timeout": session,
        "broker_heartbeat_interval": session / 6,
        "broker_request_timeout": max(40.0, session),
        "broker_rebalance_timeout": 60.0,
        "broker_commit_interval": 0.5,
        "consumer_group_instance_id": settings.instance,
        # Who a member is, to the others: the same after a restart, on whichever machine.
        "canonical_url": f"http://{settings.instance}",
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": 4 * 1024 * 1024,
        "stream_buffer_maxsize": BATCHES,
        "stream_recovery_delay": 0.0,
        "stream_wait_empty": True,
        "web_bind": settings.host,
        "web_host": settings.host,
        "web_port": settings.worker_port,
        "web_stats_enabled": False,
        "web_graph_enabled": False,
        "web_tables_enabled": False,
        "web_router_enabled": False,
        "web_metrics_enabled": False,
        "TableManager": "streams.lane.engine:Tables",
        "PartitionAssignor": "streams.lane.assignor:Sticky",
        "Worker": "streams.lane.worker:Worker",
    }


def stores(settings: Settings) -> Stores:
    """Return what holds this worker's state."""
    if settings.state == "disk":
        from streams.lane.disk import DiskStores  # slow to import, and for this alone

        return DiskStores(settings.home.absolute() / "worker" / settings.instance / "state")
    return MemoryStores()
