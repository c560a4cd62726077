"""The embedded servers: started, stopped, started again, with their data."""

import signal
import socket

import clickhouse_connect
import psutil
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from kafka import KafkaProducer
from kafka.errors import KafkaError, UnknownTopicOrPartitionError

from infra.admin import client, config
from infra.errors import UserError
from infra.local import clickhouse, kafka
from infra.settings import Settings
from models.topics import EVENTS
from tests.support.kafka_log import read_all

pytestmark = pytest.mark.stack


def connect(server, user="c360", password="test-clickhouse"):
    return clickhouse_connect.get_client(dsn=server.url, username=user, password=password)


def test_kafka_keeps_its_data_over_a_stop_and_over_a_kill(new_broker):
    broker = new_broker()
    settings = Settings(kafka=broker.bootstrap)
    topic = {"num_partitions": 1, "replication_factor": 1, "configs": config(EVENTS, settings)}
    with client(settings) as admin:
        admin.create_topics({"kept": topic}, wait_for_metadata=True)
    for number, end in enumerate((signal.SIGTERM, signal.SIGKILL)):
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
        producer.send("kept", str(number).encode()).get(30)
        producer.close()
        process = psutil.Process(broker.pid)
        process.send_signal(end)
        process.wait(120)
        assert not kafka.is_healthy(broker.bootstrap)
        broker.start()
    assert [record.value for record in read_all(broker.bootstrap, "kept")] == [b"0", b"1"]


def test_kafka_creates_no_topic_by_itself(kafka_settings):
    producer = KafkaProducer(bootstrap_servers=kafka_settings.brokers, max_block_ms=2_000)
    with pytest.raises(KafkaError):
        producer.send("never-created", b"x").get(10)
    producer.close()
    with client(kafka_settings) as admin:
        assert "never-created" not in admin.list_topics()


def test_kafka_is_reached_over_loopback_only(kafka_broker):
    own = psutil.Process(kafka_broker.pid)
    listening = [one.laddr for one in own.net_connections("tcp") if one.status == "LISTEN"]
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_kafka_on_a_taken_port_does_not_start(kafka_broker, tmp_path):
    with pytest.raises(UserError, match=f"taken by process {kafka_broker.pid}"):
        kafka.KafkaBroker(tmp_path, kafka_broker.port).start()


def test_clickhouse_keeps_its_data_over_a_stop_and_over_a_kill(new_clickhouse):
    server = new_clickhouse()
    connect(server).command("CREATE TABLE default.kept (a UInt8) ENGINE MergeTree ORDER BY a")
    for number, end in enumerate((signal.SIGTERM, signal.SIGKILL)):
        connect(server).command(f"INSERT INTO default.kept VALUES ({number})")
        process = psutil.Process(server.pid)
        process.send_signal(end)
        process.wait(120)
        assert not clickhouse.is_healthy(server.url)
        server.start()
    assert connect(server).query("SELECT a FROM default.kept ORDER BY a").result_rows == [
        (0,),
        (1,),
    ]


def test_clickhouse_ends_well_when_asked(new_clickhouse):
    server = new_clickhouse()
    process = psutil.Process(server.pid)
    process.terminate()
    assert process.wait(120) == 0


def test_clickhouse_on_a_taken_port_does_not_start(clickhouse_server, tmp_path):
    with pytest.raises(UserError, match=r"port \d+ is taken by process"):
        clickhouse.ClickHouseServer(
            tmp_path,
            clickhouse_server.http_port,
            clickhouse_server.native_port,
            user="c360",
            password="x",
            analyst_password="y",
        ).start()


def test_clickhouse_lets_nobody_in_without_a_password(clickhouse_server):
    anonymous = connect(clickhouse_server, "default", "")
    with pytest.raises(DatabaseError, match="Not enough privileges"):
        anonymous.command("CREATE DATABASE mine")
    with pytest.raises(DatabaseError, match="Not enough privileges"):
        anonymous.query("SELECT * FROM file('/etc/passwd', 'LineAsString')")
    with pytest.raises(DatabaseError, match="Authentication failed"):
        connect(clickhouse_server, "c360", "wrong")


def test_the_analyst_reads_what_is_granted_and_nothing_else(new_clickhouse):
    server = new_clickhouse(("shop.sales",))
    admin = connect(server)
    admin.command("CREATE DATABASE shop")
    admin.command("CREATE TABLE shop.orders (who String, won UInt64) ENGINE MergeTree ORDER BY who")
    admin.command("INSERT INTO shop.orders VALUES ('ana', 5)")
    admin.command(
        "CREATE VIEW shop.sales DEFINER = c360 SQL SECURITY DEFINER AS SELECT won FROM shop.orders"
    )
    analyst = connect(server, "analyst", "test-analyst")
    assert analyst.query("SELECT won FROM shop.sales").result_rows == [(5,)]
    for forbidden in (
        "SELECT who FROM shop.orders",
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM system.processes",
    ):
        with pytest.raises(DatabaseError, match="Not enough privileges"):
            analyst.query(forbidden)
    with pytest.raises(DatabaseError, match="max_execution_time"):
        analyst.query("SELECT 1 SETTINGS max_execution_time = 3600")


def test_a_kafka_engine_table_does_not_stop_the_next_start(new_clickhouse):
    server = new_clickhouse()
    admin = connect(server)
    with pytest.raises(DatabaseError):
        admin.command(
            "CREATE TABLE default.trap (a String) ENGINE = Kafka"
            " SETTINGS kafka_broker_list = '127.0.0.1:1', kafka_topic_list = 't',"
            " kafka_group_name = 'g', kafka_format = 'JSONEachRow'"
        )
    server.stop()
    server.start()
    assert connect(server).command("SELECT 1") == 1


def test_clients_of_the_native_protocol_find_a_listener(clickhouse_server):
    socket.create_connection(("127.0.0.1", clickhouse_server.native_port), 30).close()


def test_an_unknown_topic_is_an_answer_and_no_hang(kafka_settings):
    with client(kafka_settings) as admin:
        states = admin.describe_topics(["nowhere"])
    assert states[0]["error_code"] == UnknownTopicOrPartitionError.errno
