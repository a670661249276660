"""The dashboard in a real browser, over the WebDriver protocol: python3 browser.py URL FOLDER.

Prints "ok NAME" or "not ok NAME: reason" for each step; screenshots go to FOLDER. With DSR_AXE, the
file axe.min.js of the npm package axe-core, the page is looked at by it too."""
import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

url, folder = sys.argv[1], sys.argv[2]


class Browser:
    def __init__(self, *arguments):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                self.base = "http://127.0.0.1:" + line.split("port ")[1].strip().rstrip(".")
                break
        options = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *arguments,
                            f"--user-data-dir={folder}/profile-{time.time()}"],
                   "prefs": {"download.default_directory": folder}}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
        self.base += "/session/" + answer["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return json.load(reply)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()[:300]) from error

    def run(self, script, *args):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(args)})

    def open(self, address):
        self.call("POST", "/url", {"url": address})
        self.ready()

    def ready(self):
        self.until("return document.documentElement.dataset.ready === 'yes'")

    def until(self, script, *args):
        for _ in range(200):
            if self.run(script, *args):
                return
            time.sleep(0.05)
        raise AssertionError("it never became true: " + script)

    def find(self, selector):
        found = self.call("POST", "/element", {"using": "css selector", "value": selector})
        return next(iter(found.values()))

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector, text):
        self.call("POST", f"/element/{self.find(selector)}/clear", {})
        self.call("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def choose(self, selector, value):
        self.run("const e = document.querySelector(arguments[0]); e.value = arguments[1];"
                 "e.dispatchEvent(new Event('change', {bubbles: true}))", selector, value)

    def picture(self, name):
        with open(f"{folder}/{name}.png", "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.kill()


COLUMN = "return [...document.querySelectorAll('#providers tbody tr')].map(r => r.cells[arguments[0]].textContent)"
INKED = """const c = document.getElementById(arguments[0]), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n"""


def check(name, step):
    try:
        step()
        print("ok", name)
    except Exception as error:  # every failure is a result
        print(f"not ok {name}: {error!r}"[:400])


AXE = """const done = arguments[arguments.length - 1]; axe.run(document).then(r => done(r.violations
.filter(v => v.impact === 'serious' || v.impact === 'critical').map(v => v.id + ': ' + v.nodes.map(n => n.target).join(' '))))"""


def reachable():
    with open(os.environ["DSR_AXE"], encoding="utf-8") as file:
        browser.run(file.read())
    same(browser.call("POST", "/execute/async", {"script": AXE, "args": []}), [])


def same(got, wanted):
    assert got == wanted, (got, wanted)


browser = Browser("--window-size=1280,1000", "--lang=en-US")
try:
    browser.open(url)

    def sorts():
        first = [float(x) for x in browser.run(COLUMN, 9) if x != "–"]
        same(first, sorted(first))  # by TTFT, as long as nothing else is wanted
        browser.click("[data-sort=otps]")
        down = [float(x) for x in browser.run(COLUMN, 8) if x != "–"]
        browser.click("[data-sort=otps]")
        up = [float(x) for x in browser.run(COLUMN, 8) if x != "–"]
        same(down, sorted(down, reverse=True))
        same(up, sorted(up))
        same(browser.run("return document.activeElement.dataset.sort"), "otps")
    check("a click on a heading sorts, another turns it round", sorts)

    def keyboard():
        browser.run("document.querySelector('[data-sort=provider]').focus()")
        keys = {"actions": [{"type": "key", "id": "k", "actions": [{"type": "keyDown", "value": "\ue007"}, {"type": "keyUp", "value": "\ue007"}]}]}
        browser.call("POST", "/actions", keys)
        same(browser.run("return document.querySelector('[aria-sort]').textContent"), "provider")
    check("the keyboard does it too", keyboard)

    def statistic():
        before = browser.run(COLUMN, 9)
        browser.choose("#stat", "p99")
        assert browser.run(COLUMN, 9) != before
    check("another statistic gives other values", statistic)

    def currency():
        before = browser.run(COLUMN, 2)
        browser.choose("#currency", "USD")
        browser.until("return arguments[0] !== [...document.querySelectorAll('#providers tbody tr')].map(r => r.cells[2].textContent).join()", ",".join(before))
        browser.ready()
        yuan, dollar = [[float(x) for x in c if x != "–"] for c in (before, browser.run(COLUMN, 2))]
        assert abs(sum(yuan) / sum(dollar) - 7.3) < 0.1, (yuan, dollar)
    check("another currency converts the prices", currency)

    def drawn():
        for chart in ("series", "pareto", "spread"):
            browser.until("return !!document.getElementById(arguments[0]).width", chart)
            inked = browser.run(INKED, chart)
            assert inked > 2000, (chart, inked)
    check("every chart is drawn", drawn)

    def requirement():
        browser.type("#filters .rule:first-child input", "0.999")
        browser.until("return document.querySelectorAll('#rejected li').length > 0")
        assert "success" in browser.run("return document.querySelector('#rejected').textContent")
        browser.click("#add-order")
        same(browser.run("return document.querySelectorAll('#orders .rule').length"), 2)
        browser.click("#filters button")
        browser.until("return document.querySelectorAll('#rejected li').length === 0")
        browser.choose("#orders select", "gpqa")
        browser.until("return document.querySelector('#matched li:nth-child(2)').textContent.includes('gpqa')")
    check("a requirement is edited, and ranks at once", requirement)

    def exported():
        browser.click("#export")
        for _ in range(100):
            try:
                with open(f"{folder}/requirement.json", encoding="utf-8") as file:
                    same(json.load(file)["order"][0]["metric"], "gpqa")
                return
            except (FileNotFoundError, json.JSONDecodeError):
                time.sleep(0.05)
        raise AssertionError("no file")
    check("and is saved as a file", exported)

    def kept():
        browser.open(url)
        same(browser.run("return document.querySelector('#orders select').value"), "gpqa")
        browser.run("localStorage.setItem('requirement', '{]')")
        browser.open(url)
        same(browser.run("return document.querySelector('#orders select').value"), "ttft")
    check("and is there at the next visit", kept)

    def chinese():
        browser.choose("#language", "zh")
        same(browser.run("return document.documentElement.lang"), "zh")
        assert "服务商" in browser.run("return document.querySelector('#providers').textContent")
        browser.picture("chinese")
        browser.choose("#language", "en")
    check("it speaks Chinese", chinese)

    def safe():
        same(browser.run("return window.harmed"), None)
        same(browser.run("return document.querySelectorAll('#providers img').length"), 0)
        assert "<img" in browser.run("return document.querySelector('#providers').textContent")
    check("a name is no markup", safe)

    def labelled():
        bare = browser.run("return [...document.querySelectorAll('select, input, button, canvas')].filter(e =>"
                           "!e.labels?.length && !e.ariaLabel && !e.getAttribute('aria-labelledby') && !e.textContent.trim()).map(e => e.outerHTML)")
        same(bare, [])
    check("everything that can be used has a name", labelled)

    def quick():
        paint = browser.run("return performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
        weight = browser.run("return performance.getEntriesByType('resource').filter(r => !r.name.includes('/api/')).reduce((s, r) => s + r.encodedBodySize, 0)")
        print(f"# first paint {paint} ms, {weight} bytes of files")
        assert weight < 300000, weight
    check("the page is light", quick)
    if "DSR_AXE" in os.environ:
        check("axe-core finds nothing serious", reachable)
    browser.picture("page")
finally:
    browser.close()

browser = Browser("--window-size=500,900", "--lang=zh-CN")
try:
    browser.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride",
                 "params": {"width": 375, "height": 800, "deviceScaleFactor": 1, "mobile": True}})
    browser.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia",
                 "params": {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}})
    browser.open(url)

    def narrow():
        same(browser.run("return innerWidth"), 375)
        wide = browser.run("return document.documentElement.scrollWidth")
        assert wide <= 375, wide
        browser.picture("phone")
    check("nothing is wider than a phone", narrow)

    def dark():
        ink = browser.run("return getComputedStyle(document.body).backgroundColor")
        same(ink, "rgb(20, 24, 31)")
    if "DSR_AXE" in os.environ:
        check("axe-core finds nothing serious on a phone in the dark", reachable)
    check("it is dark where that is wanted", dark)
finally:
    browser.close()
