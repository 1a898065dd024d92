"""The clients of the Hugging Face Hub, as they come from PyPI, with a factory as their hub.

Arguments: the project's handle, the token of a member, and that of somebody else. Prints a line for
each part of the story that went as it should; anything else ends it.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from datasets import Dataset, load_dataset
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, snapshot_download
from huggingface_hub.errors import (
    BadRequestError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

OWNER, TOKEN, STRANGER = sys.argv[1:4]
MODEL = f"{OWNER}/My_Model.v1"


def hf(*arguments: str) -> str:
    program = Path(sys.executable).with_name("hf")
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(error: type[Exception], call, *arguments, **named) -> str:
    try:
        call(*arguments, **named)
    except error as refusal:
        return str(refusal)
    raise AssertionError(f"{call.__name__} was not refused")


def told(part: str) -> None:
    print(part, flush=True)


hf("auth", "login", "--token", TOKEN)
assert OWNER in hf("auth", "whoami")
api = HfApi()
told("signed in")

created = api.create_repo(MODEL)
assert created.repo_id == MODEL and api.create_repo(MODEL, exist_ok=True) == created
refused(HfHubHTTPError, api.create_repo, MODEL)
empty = api.model_info(MODEL).sha
Path("folder/données").mkdir(parents=True)
Path("folder/README.md").write_text("---\nlicense: apache-2.0\n---\nA model.\n")
Path("folder/données/文本.txt").write_text("text")
Path("folder/large.bin").write_bytes(os.urandom(150_000))
Path("folder/larger.bin").write_bytes(os.urandom(700_001))
hf("upload", MODEL, "folder", ".")
first = api.model_info(MODEL, files_metadata=True)
sizes = {file.rfilename: file.size for file in first.siblings}
assert sizes["larger.bin"] == 700_001 and sizes["données/文本.txt"] == 4, sizes
assert api.upload_folder(repo_id=MODEL, folder_path="folder").oid == first.sha, "nothing has changed"
told("uploaded")

copy = Path(snapshot_download(MODEL, revision=first.sha))
for name in sizes:
    assert (copy / name).read_bytes() == Path("folder", name).read_bytes(), name
hf("download", MODEL, "larger.bin", "--local-dir", "down")
assert Path("down/larger.bin").read_bytes() == Path("folder/larger.bin").read_bytes()
listed = {file.path: file for file in api.list_repo_tree(MODEL, recursive=True)}
assert set(listed) == {*sizes, "données"}
assert [found.path for found in api.get_paths_info(MODEL, ["README.md", "none"])] == ["README.md"]
told("downloaded")

api.create_branch(MODEL, branch="dev")
api.create_tag(MODEL, tag="v1")
api.create_tag(MODEL, tag="v1", exist_ok=True)
api.upload_file(path_or_fileobj=b"dev", path_in_repo="dev.txt", repo_id=MODEL, revision="dev")
edits = [CommitOperationDelete("données/"), CommitOperationCopy("larger.bin", "copy.bin")]
api.create_commit(MODEL, edits, commit_message="Less")
assert api.file_exists(MODEL, "dev.txt", revision="dev") and not api.file_exists(MODEL, "dev.txt")
assert api.file_exists(MODEL, "données/文本.txt", revision="v1")
assert api.file_exists(MODEL, "copy.bin") and not api.file_exists(MODEL, "données/文本.txt")
refs = api.list_repo_refs(MODEL)
assert [branch.name for branch in refs.branches] == ["main", "dev"]
assert [(tag.name, tag.target_commit) for tag in refs.tags] == [("v1", first.sha)]
assert [commit.title for commit in api.list_repo_commits(MODEL)][0] == "Less"
api.delete_branch(MODEL, branch="dev")
api.delete_tag(MODEL, tag="v1")
told("branched")


def append(number: int) -> None:
    add = CommitOperationAdd(f"at-once/{number}", str(number).encode())
    api.create_commit(MODEL, [add], commit_message=f"{number}")


with ThreadPoolExecutor(8) as pool:
    list(pool.map(append, range(16)))
assert len(list(api.list_repo_tree(MODEL, "at-once"))) == 16
late = [CommitOperationAdd("late", b"x")]
answer = refused(HfHubHTTPError, api.create_commit, MODEL, late, commit_message="x", parent_commit=empty)
assert "a commit has happened since" in answer, answer
told("committed at once")

other = HfApi(token=STRANGER)
for who in (other, HfApi(token=False)):
    refused(RepositoryNotFoundError, who.model_info, MODEL)
    refused(RepositoryNotFoundError, who.hf_hub_download, MODEL, "README.md", cache_dir="theirs")
refused(RevisionNotFoundError, api.model_info, MODEL, revision="none")
refused(RemoteEntryNotFoundError, api.hf_hub_download, MODEL, "none")
refused(BadRequestError, api.create_commit, MODEL, [CommitOperationAdd("a/CON", b"")], commit_message="x")
refused(HfHubHTTPError, HfApi(token="usine_api_wrong").whoami)
api.update_repo_settings(MODEL, visibility="public")
assert other.model_info(MODEL).private is False
refused(HfHubHTTPError, other.upload_file, path_or_fileobj=b"", path_in_repo="x", repo_id=MODEL)
api.move_repo(MODEL, f"{OWNER}/renamed")
assert [model.id for model in api.list_models(search="renam")] == [f"{OWNER}/renamed"]
api.delete_repo(f"{OWNER}/renamed")
refused(RepositoryNotFoundError, api.model_info, f"{OWNER}/renamed")
told("kept to the rights")

numbers = Dataset.from_dict({"text": [f"line {i}" for i in range(500)], "n": list(range(500))})
numbers.push_to_hub(f"{OWNER}/numbers")
assert load_dataset(f"{OWNER}/numbers", split="train")[499] == {"text": "line 499", "n": 499}
streamed = load_dataset(f"{OWNER}/numbers", split="train", streaming=True)
assert next(iter(streamed))["n"] == 0
numbers.push_to_hub(f"{OWNER}/numbers", "extra", revision="dev")
assert len(load_dataset(f"{OWNER}/numbers", "extra", revision="dev", split="train")) == 500
told("datasets")
