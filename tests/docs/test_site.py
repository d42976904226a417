"""The site is built strictly, asks no other host for anything, and works in a browser."""

import json
import re
import shutil
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from printed_blocks import ROOT

pytestmark = pytest.mark.slow
SENTENCE = {390: 180, 1400: 130}  # pixels that a cell with a sentence has, by those of the screen
COLUMNS = re.compile(r"<tr>\s*(?:<th[^>]*>[^\n]*</th>\s*){4}")  # a table that may be too wide
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
SECTIONS = {  # a page of each section, and its title
    "index.html": "dreamgym",
    "tutorials/own-world.html": "A world of your own",
    "curriculum.html": "The curriculum",
    "agents/ppo.html": "PPO",
    "envs/reach.html": "Reach",
    "generative/autoencoders.html": "Autoencoders",
    "nets.html": "Nets",
    "scripts.html": "The commands",
    "reference/agents.html": "agents",
    "CHANGELOG.html": "Changelog",
}
SOUGHT = {  # what is typed into the search, and the page that is among the first five
    "importance ratio": "reference/agents.equations.html",
    "share a run": "travelling.html",
    "model hub": "travelling.html",
    "push to hub": "travelling.html",
    "gan uniform prior": "generative/gans.html",
    "gradient check": "nets.html",
    "onnx": "deploying.html",
    "mp4": "scripts.html",
    "video": "scripts.html",
    "hyperparameters": "training.html",
    "tune": "faq.html",
    "save": "faq.html",
    "checkpoint": "faq.html",
    "normalize observations": "faq.html",
    "custom environment": "faq.html",
}
ASKS = re.compile(r'<(?:script|img|iframe)[^>]*\bsrc="https?:|rel="stylesheet"[^>]*href="https?:')
DRIVER = """<!doctype html><iframe style="border: 0; height: 800px"></iframe><script>
const frame = document.querySelector("iframe"), found = {pages: {}};
const open = page => new Promise(done => {
  frame.onload = () => done(frame.contentDocument);
  frame.src = page;
});
const until = async find => {
  for (let k = 0; k < 400 && !find(); k++) await new Promise(go => setTimeout(go, 50));
  return find();
};
(async () => {
  for (const width of [390, 1400]) for (const page of PAGES) {
    frame.style.width = width + "px";
    const doc = await open(page);
    await until(() => [...doc.images].every(image => image.loading == "lazy" || image.complete));
    found.pages[page + " " + width] = {
      title: doc.querySelector("h1").firstChild.textContent,
      beyond: doc.documentElement.scrollWidth - width,
      thinnest: Math.min(...[...doc.querySelectorAll("article td:not(.linenos)")]
        .filter(cell => cell.textContent.length >= 40).map(cell => cell.offsetWidth)),
      shrunk: [...doc.querySelectorAll(".math svg")]
        .filter(svg => svg.clientWidth < svg.width.baseVal.value - 1).length,
      broken: [...doc.images].filter(image => image.complete && !image.naturalWidth).length,
    };
  }
  frame.style.width = "1280px";
  found.hidden = {};
  for (const page of TABLES) {
    const doc = await open(page);
    found.hidden[page] = [...doc.querySelectorAll("article .md-typeset__scrollwrap")]
      .filter(around => around.scrollWidth > around.clientWidth).length;
  }
  const doc = await open("index.html");
  const scheme = () => doc.body.dataset.mdColorScheme, first = scheme();
  doc.querySelector("label[for=__palette_1]").click();
  found.other = await until(() => scheme() != first);
  found.results = {};
  for (const words of SOUGHT) {
    const doc = await open("index.html");
    const query = doc.querySelector("[data-md-component=search-query]");
    query.focus();
    query.value = words;
    query.dispatchEvent(new Event("input"));
    query.dispatchEvent(new Event("keyup"));
    const first = () => doc.querySelectorAll(".md-search-result__item > a");
    await until(() => first().length >= 5);
    found.results[words] = [...first()].map(a => a.pathname.slice(1));
  }
  found.hosts = [...frame.contentWindow.performance.getEntries(), ...performance.getEntries()]
    .filter(entry => entry.name.startsWith("http")).map(entry => new URL(entry.name).host);
})().catch(error => found.error = String(error)).then(
  () => fetch("report", {method: "POST", body: JSON.stringify(found)}));
</script>"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, built with warnings as errors."""
    pytest.importorskip("mkdocstrings", reason="needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def driven(site):
    """What a browser found that was led through the site."""
    if BROWSER is None:
        pytest.skip("needs a Chromium")
    reports, reported = [], threading.Event()

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=site)

        def log_message(self, *_):
            pass

        def do_POST(self):
            reports.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()
            reported.set()

    pages = {page.relative_to(site).as_posix(): page for page in site.rglob("*.html")}
    tables = [name for name, page in pages.items() if COLUMNS.search(page.read_text("utf-8"))]
    page = DRIVER.replace("PAGES", json.dumps([*SECTIONS])).replace("SOUGHT", json.dumps([*SOUGHT]))
    page = page.replace("TABLES", json.dumps(tables))
    (site / "driver.html").write_text(page, encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        address = f"http://127.0.0.1:{server.server_port}/driver.html"
        options += [f"--user-data-dir={site.parent / 'profile'}", "--remote-debugging-port=0"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen([BROWSER, *options, address], **quiet) as browser:
            reported.wait(240)
            browser.terminate()
        server.shutdown()
    assert reports, "the browser reported nothing"
    return reports[0]


def test_the_reference_has_every_public_name(site):
    import agents
    import envs
    import generative
    import nets

    for package in (agents, envs, generative, nets):
        page = (site / "reference" / f"{package.__name__}.html").read_text(encoding="utf-8")
        shown = set(re.findall(rf'<h2 id="{package.__name__}\.[\w.]*?(\w+)"', page))
        public = {name for name in dir(package) if not name.startswith("_")}
        assert set(package.__all__) <= shown, package
        anchors = set(re.findall(rf'id="{package.__name__}\.(\w+)"', page))
        assert set(package.__all__) <= anchors, package
        assert not shown - public - {"Agent", "GenerativeModel"}, package


def test_a_wrong_address_leads_on(site):
    text = (site / "404.html").read_text(encoding="utf-8")
    linked = re.findall(r'href="/([\w.]+)"', text.partition("There is no such page.")[2])
    assert linked[:2] == ["index.html", "glossary.html"]
    assert all((site / page).exists() for page in linked[:2])
    assert not (site / "site" / "theme").exists()  # what makes it is no page


def test_pages_ask_no_other_host_for_anything(site):
    for page in site.rglob("*.html"):
        assert not ASKS.findall(page.read_text(encoding="utf-8")), page


def test_pages_of_all_sections_are_whole_on_wide_and_narrow_screens(driven):
    assert "error" not in driven, driven["error"]
    for page, found in driven["pages"].items():
        assert found["title"] == SECTIONS[page.split()[0]]
        assert (found["beyond"] <= 0, found["broken"], found["shrunk"]) == (True, 0, 0), page
        least = SENTENCE[int(page.split()[1])]
        assert (found["thinnest"] or least) >= least, page
    assert len(driven["pages"]) == 2 * len(SECTIONS)


def test_tables_show_all_columns_beside_both_menus(driven):
    assert driven["hidden"]["curriculum.html"] == 0
    assert [page for page, tables in driven["hidden"].items() if tables] == []


@pytest.mark.parametrize("words", SOUGHT)
def test_search_finds_the_page_among_the_first_five(words, driven):
    assert SOUGHT[words] in driven["results"][words][:5]


def test_the_dark_scheme_is_there_and_no_other_host_is_asked(driven):
    assert driven["other"]
    assert {host.rpartition(":")[0] for host in driven["hosts"]} == {"127.0.0.1"}
