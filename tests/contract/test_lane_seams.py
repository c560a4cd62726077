"""What the lane overrides in, or needs of, Faust and aiokafka is as it was when written.

A change here names the seam: read the new source, mend `streams/lane/engine.py`,
run the lane's integration and chaos tests, and set the new hash.
"""

import hashlib
import inspect
from importlib.metadata import version

import aiokafka
import faust
import pytest
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer.message_accumulator import MessageAccumulator, MessageBatch
from aiokafka.producer.sender import Sender, SendProduceReqHandler
from faust.assignor.partition_assignor import PartitionAssignor
from faust.sensors.monitor import Monitor
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer, ThreadDelegateConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from mode.threads import ServiceThread
from mode.worker import Worker

PINS = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}

HASHES = {
    "Consumer._drain_messages": "44a2500309e8",
    "Consumer._new_offset": "1d2c7ea89a7a",
    "Consumer._filter_tps_with_pending_acks": "f6f923977423",
    "Consumer.wait_empty": "e4662fe24f09",
    "Consumer.on_partitions_revoked": "d04b7ae72c6f",
    "Consumer.on_partitions_assigned": "29ce96596f05",
    "TableManager.changelog_topics": "e137531cfedd",
    "App.on_first_start": "ec655d9c2234",
    "App._new_transport": "42db531312dd",
    "App._on_partitions_revoked": "d5c895bbe57d",
    "App._stop_consumer": "55854a5de12c",
    "Recovery._restart_recovery": "6bd8a8558a2d",
    "Recovery._resume_streams": "d986a6710c1a",
    "AIOKafkaConsumerThread._create_worker_consumer": "c2701bfc3e6f",
    "Consumer._commit_tps": "a20e230b05ae",
    "Fetcher.fetched_records": "be4348896b9b",
    "AIOKafkaConsumer.seek_to_committed": "f6cd85c8b70a",
    "PartitionAssignor._perform_assignment": "1e0bf2c5c8f4",
    "Worker._on_sigint": "25334ac514b2",
    "GroupCoordinator._maybe_leave_group": "016cd88a16e6",
    "AIOKafkaConsumerThread._fetch_records": "39a2c6c79fc1",
    "PartitionRecords._consumer_record": "e668541600b0",
    "PartitionRecords._unpack_records": "b803e6d46480",
    "FetchResult.getall": "3e717e30de50",
    "FetchResult.check_assignment": "b5340df67e3f",
    "FetchResult._update_position": "83fb1473bf10",
    "MessageAccumulator.add_batch": "5ed1c5b1367a",
    "AIOKafkaProducer.send_batch": "bf42b0f0c5c0",
    "MessageAccumulator._append_batch": "4762abfc42cb",
    "MessageAccumulator._pop_batch": "41cc98a298ef",
    "MessageAccumulator.drain_by_nodes": "fc995afbfc57",
    "Sender._sender_routine": "2380dc5e333d",
    "Sender._send_produce_req": "aea01ae4b6c7",
    "Fetcher._get_actions_per_node": "1dab2cf937d1",
    "AIOKafkaConsumerThread.on_start": "38b4e8bd1e10",
    "MessageBatch.get_data_buffer": "81c4aaef84b0",
    "SendProduceReqHandler.create_request": "807639a95205",
    "ServiceThread.start": "f11841038a03",
    "ServiceThread.stop": "32d026539c36",
    "ServiceThread._serve": "67809eae0957",
    "ServiceThread._start_thread": "a06373478446",
    "ServiceThread._gather_remaining_tasks": "6f65b92dd101",
}

NEEDED = [
    (
        Consumer,
        ["_get_active_partitions", "_commit_offsets", "_should_commit", "seek_to_committed"],
    ),
    (ThreadDelegateConsumer, ["_getmany", "assignment", "highwater"]),
    (AIOKafkaConsumerThread, ["earliest_offsets", "seek_to_committed", "seek_wait"]),
    (GroupCoordinator, ["_on_join_prepare", "_coordination_routine"]),
    (
        PartitionAssignor,
        ["_get_client_metadata", "_update_member_urls", "_protocol_assignments"],
    ),
    (aiokafka.AIOKafkaProducer, ["create_batch", "send_batch"]),
    (Fetcher, ["_create_fetch_waiter"]),
    (Monitor, ["stream_inbound_time"]),
    (faust.App, ["on_first_start", "on_stop", "on_rebalance_complete"]),
]


@pytest.mark.parametrize("package", PINS)
def test_the_engine_is_the_one_that_the_lane_was_written_for(package):
    assert version(package) == PINS[package]


def digest(function):
    return hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12]


@pytest.mark.parametrize(
    "function",
    [
        # overridden: the lane does instead what these do
        Consumer._drain_messages,
        Consumer._new_offset,
        Consumer._filter_tps_with_pending_acks,
        Consumer.wait_empty,
        Consumer.on_partitions_revoked,
        Consumer.on_partitions_assigned,
        TableManager.changelog_topics.fget,
        faust.App.on_first_start,
        faust.App._new_transport,
        PartitionAssignor._perform_assignment,
        AIOKafkaConsumerThread._fetch_records,
        PartitionRecords._consumer_record,
        PartitionRecords._unpack_records,
        FetchResult.getall,
        Worker._on_sigint,
        ServiceThread._start_thread,
        ServiceThread._gather_remaining_tasks,
        # relied on: the order in which these do things
        faust.App._on_partitions_revoked,
        faust.App._stop_consumer,
        Recovery._restart_recovery.fun,
        Recovery._resume_streams,
        AIOKafkaConsumerThread._create_worker_consumer,
        Consumer._commit_tps,
        Fetcher.fetched_records,
        FetchResult.check_assignment,
        FetchResult._update_position,
        MessageAccumulator.add_batch,
        aiokafka.AIOKafkaProducer.send_batch,
        MessageAccumulator._append_batch,
        MessageAccumulator._pop_batch,
        MessageAccumulator.drain_by_nodes,
        MessageBatch.get_data_buffer,
        Sender._sender_routine,
        Sender._send_produce_req,
        Fetcher._get_actions_per_node,
        AIOKafkaConsumerThread.on_start,
        SendProduceReqHandler.create_request,
        aiokafka.AIOKafkaConsumer.seek_to_committed,
        GroupCoordinator._maybe_leave_group,
        ServiceThread.start,
        ServiceThread.stop,
        ServiceThread._serve,
    ],
    ids=lambda function: function.__qualname__,
)
def test_a_seam_is_as_it_was(function):
    assert digest(function) == HASHES[function.__qualname__]


@pytest.mark.parametrize(("owner", "names"), NEEDED, ids=lambda one: getattr(one, "__name__", ""))
def test_what_the_lane_calls_exists(owner, names):
    assert [name for name in names if not hasattr(owner, name)] == []
