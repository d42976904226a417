"""A model hub on this machine: what huggingface_hub's own client asks of one, and no more."""

import base64
import hashlib
import json
import re
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

TOKEN = "hf_of_nobody"


def yaml_of(card):
    """Return the metadata above a model card."""
    import yaml

    return yaml.safe_load(card.split("---\n")[1])


class Hub:
    """Repositories in memory: `files[repo][name]` is what a file holds.

    Attributes:
        claims: sizes that are claimed of files, where they are not the true ones.
        asked: paths of files that somebody has asked for.
    """

    def __init__(self):
        self.files, self.private, self.blobs = {}, {}, {}
        self.claims, self.asked = {}, []
        self.url = ""

    def commit(self, repo):
        """Return the commit of what a repository holds now."""
        said = repr(sorted((n, hashlib.sha1(d).hexdigest()) for n, d in self.files[repo].items()))
        return hashlib.sha1(said.encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers as https://huggingface.co does."""

    hub: Hub

    def log_message(self, *args):
        """Say nothing."""

    def do_HEAD(self):
        self._file(body=False)

    def do_GET(self):
        found = re.fullmatch(r"/api/models/([^/?]+/[^/?]+)(/revision/\w+)?(\?.*)?", self.path)
        if not found:
            self._file(body=True)
        elif found[1] not in self.hub.files:
            self._answer(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
        else:
            repo = found[1]
            names = self.hub.files[repo]
            size = {name: self.hub.claims.get(name, len(data)) for name, data in names.items()}
            siblings = [{"rfilename": name, "size": size[name]} for name in names]
            about = {"id": repo, "modelId": repo, "sha": self.hub.commit(repo)}
            self._answer(200, about | {"siblings": siblings, "tags": []})

    def do_PUT(self):
        self.hub.blobs[self.path.rpartition("/")[2]] = self._body()
        self._answer(200, {})

    def do_POST(self):
        body, hub = self._body(), self.hub
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"error": "Invalid credentials"})
        elif self.path == "/api/repos/create":
            asked = json.loads(body)
            repo = f"{asked['organization'] or 'me'}/{asked['name']}"
            if repo in hub.files:
                self._answer(409, {"error": "You already created this model repo"})
                return
            hub.files[repo], hub.private[repo] = {}, asked.get("visibility") == "private"
            self._answer(200, {"url": f"{hub.url}/{repo}"})
        elif self.path == "/api/validate-yaml":
            yaml = yaml_of(json.loads(body)["content"])
            wrong = [] if isinstance(yaml.get("license"), str) else [{"message": "no licence"}]
            self._answer(400 if wrong else 200, {"errors": wrong, "warnings": []})
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            mode = {True: "lfs", False: "regular"}
            said = [
                {
                    "path": file["path"],
                    "uploadMode": mode[file["path"].endswith(".safetensors")],
                    "shouldIgnore": False,
                }
                for file in files
            ]
            self._answer(200, {"files": said})
        elif self.path.endswith("/info/lfs/objects/batch"):
            wanted = json.loads(body)["objects"]
            said = [
                {**each, "actions": {"upload": {"href": f"{hub.url}/blobs/{each['oid']}"}}}
                for each in wanted
            ]
            self._answer(200, {"transfer": "basic", "objects": said})
        elif "/commit/" in self.path:
            repo = re.match(r"/api/models/([^/]+/[^/]+)/commit/", self.path)[1]
            for line in body.splitlines():
                said = json.loads(line)
                value = said["value"]
                if said["key"] == "file":
                    hub.files[repo][value["path"]] = base64.b64decode(value["content"])
                elif said["key"] == "lfsFile":
                    hub.files[repo][value["path"]] = hub.blobs[value["oid"]]
            commit = hub.commit(repo)
            where = f"{hub.url}/{repo}/commit/{commit}"
            self._answer(200, {"commitUrl": where, "commitOid": commit})
        else:
            self._answer(404, {"error": self.path})

    def _file(self, *, body):
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", self.path.partition("?")[0])
        data = self.hub.files.get(found[1], {}).get(found[2]) if found else None
        if data is None:
            self._answer(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
            return
        self.hub.asked.append(found[2])
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha1(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.hub.commit(found[1]))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data)

    def _body(self):
        if self.headers["Transfer-Encoding"] != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _answer(self, status, said, headers=None):
        data = json.dumps(said).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def model_hub(monkeypatch, cache):
    """Yield a hub which huggingface_hub takes for the only one, and its user for `me`."""
    from huggingface_hub import constants

    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)  # what its C library speaks
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
