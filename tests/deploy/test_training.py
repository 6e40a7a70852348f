"""What lies in deploy/training is right by Kubernetes' schemas, and its command trains on two nodes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.training import tiny

from .conftest import ROOT

SERVICE, JOB = yaml.safe_load_all((ROOT / "deploy" / "training" / "job.yaml").read_text())
(CONTAINER,) = JOB["spec"]["template"]["spec"]["containers"]


def test_the_objects_are_right_by_the_published_schemas() -> None:
    for found in (SERVICE, JOB):
        kubernetes_validate.validate(found, "1.37", strict=True)


def test_the_pods_meet_at_the_name_of_the_first() -> None:
    pod = JOB["spec"]["template"]["spec"]
    options = dict(each.split("=") for each in CONTAINER["args"] if "=" in each)
    name = SERVICE["metadata"]["name"]
    assert pod["subdomain"] == name
    # Kubernetes names the pods of an indexed Job after it and their number
    assert options["--master-addr"] == f"{JOB['metadata']['name']}-0.{name}"
    assert int(options["--master-port"]) == SERVICE["spec"]["ports"][0]["port"]
    assert int(options["--nnodes"]) == JOB["spec"]["completions"] == JOB["spec"]["parallelism"]
    assert SERVICE["spec"]["selector"] == {"batch.kubernetes.io/job-name": JOB["metadata"]["name"]}
    assert [each["name"] for each in CONTAINER["env"]] == ["JOB_COMPLETION_INDEX"]


@pytest.mark.slow
def test_its_command_trains_on_two_nodes_that_share_no_folder(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    nodes = []
    for index in range(2):
        folder = tmp_path / f"node-{index}"
        folder.mkdir()
        tiny.write_corpora(folder)
        replaced = {
            "--node-rank=$(JOB_COMPLETION_INDEX)": f"--node-rank={index}",
            "--master-addr=textloom-training-0.textloom-training": "--master-addr=127.0.0.1",
            "--master-port=29500": f"--master-port={port}",
            "--nproc-per-node=4": "--nproc-per-node=1",
        }
        arguments = [replaced.get(each, each) for each in CONTAINER["args"]]
        own = arguments[: arguments.index("translate") + 1]
        assert set(replaced.values()) < set(own)
        options = tiny.arguments("translate", folder, folder, "--epochs", "3")
        command = [sys.executable, "-m", "torch.distributed.run", *own, *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        nodes.append(
            subprocess.Popen(
                command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
            )
        )
    for node in nodes:
        error = node.communicate(timeout=800)[1]
        assert node.returncode == 0, error
    published = [list((tmp_path / f"node-{index}").glob("models/*/1")) for index in range(2)]
    assert [len(each) for each in published] == [1, 0]
