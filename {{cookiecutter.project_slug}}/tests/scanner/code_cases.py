"""For each rule of the code check: what fires it, and what does not."""

from .small import SECRET

HEAD = "from . import tool\n"
# By rule: what fires it, and what is like it and right.
PLANTED = {
    "001": (
        "import os\nos.popen('ls')  # " + "nosec B605 B607\n",
        "import os\nos.popen('ls')  # " + "nosec B605 B607 # a fixed word\n",
    ),
    "002": (
        "def f(x):\n    return x  # " + "noqa: S603\n",
        "def f(x):\n    return x  # " + "noqa: S603 - a fixed program\n",
    ),
    "042": (
        HEAD + "import time\n@tool\ndef f(seconds: int):\n"
        "    time.sleep(seconds)\n",
        HEAD + "import time\n@tool\ndef f(seconds: int):\n"
        "    time.sleep(min(seconds, 5))\n",
    ),
    "045": (
        HEAD + "import httpx\nU = 'https://api.example.com/me'\n"
        "@tool(open_world=True)\ndef f() -> str:\n"
        "    sent = {'Authorization': get_access_token().token}\n"
        "    return httpx.get(U, headers=sent, timeout=5).text\n",
        HEAD + "import httpx\nU = 'https://api.example.com/me'\n"
        "@tool(open_world=True)\ndef f() -> str:\n"
        "    sent = {'Authorization': resources().settings.token}\n"
        "    return httpx.get(U, headers=sent, timeout=5).text\n",
    ),
    "046": (
        HEAD + "_kept = {}\n@tool\ndef put(key: str, text: str):\n"
        "    _kept[key] = text\n"
        "@tool(read_only=True)\ndef look(key: str) -> str:\n"
        "    return _kept.get(key, '')\n",
        HEAD + "_kept = {}\n@tool\ndef put(key: str, text: str):\n"
        "    _kept[current_client_id(), key] = text\n"
        "@tool(read_only=True)\ndef look(key: str) -> str:\n"
        "    return _kept.get((current_client_id(), key), '')\n",
    ),
    "047": (
        HEAD + "import zlib\n@tool\ndef f(data: bytes) -> int:\n"
        "    return len(zlib.decompress(data))\n",
        HEAD + "import zlib\n@tool\ndef f(data: bytes) -> int:\n"
        "    plain = zlib.decompressobj().decompress(data, 1000)\n"
        "    return len(plain) + len(zlib.decompress(b'x'))\n",
    ),
    "048": (
        HEAD + "@tool\nasync def f(name: str):\n"
        "    runner = resources().commands\n"
        "    return await runner._launcher.run(name, [name], 3)\n",
        HEAD + "@tool\nasync def f(name: str, log):\n"
        "    runner = resources().commands\n    log._kept(name)\n"
        "    return await runner.run([name], '.')\n",
    ),
    "043": (
        HEAD + "@tool\ndef f(name: str):\n    print('for', name)\n",
        HEAD + "def show(text):\n    print(text)\n@tool\ndef f(log):\n"
        "    log.event('read', size=3)\n",
    ),
    "044": (
        HEAD + "@tool\ndef f(name: str):\n    assert name == 'root'\n",
        HEAD + "@tool\ndef f(name: str):\n    if name != 'root':\n"
        "        raise ValueError\n    return {}\n",
    ),
    "003": (
        "import asyncio as a\nasync def f(x):\n"
        "    await a.create_subprocess_shell(x)\n",
        "import asyncio as a\nasync def f():\n"
        "    await a.create_subprocess_exec('/bin/ls')\n",
    ),
    "004": (
        "import yaml\ndef f(x):\n    return yaml.unsafe_load(x)\n",
        "import yaml\ndef f(x):\n    return yaml.safe_load(x)\n",
    ),
    "005": (
        "import ssl\ndef f(c):\n    c.check_hostname = False\n"
        "    c.verify_mode = ssl.CERT_NONE\n",
        "import ssl\ndef f(c):\n    c.check_hostname = True\n"
        "    c.verify_mode = ssl.CERT_REQUIRED\n",
    ),
    "006": (
        "import jwt\ndef f(t):\n"
        "    return jwt.decode(t, options={'verify_signature': False})\n",
        "import jwt\ndef f(t, k):\n"
        "    return jwt.decode(t, k, algorithms=['RS256'])\n",
    ),
    "007": (
        HEAD + "from pathlib import Path\n@tool\ndef f(name: str) -> str:\n"
        "    here = Path('/srv') / name\n    return here.read_text()\n",
        HEAD + "@tool\ndef f(name: str, workspace: Workspace) -> str:\n"
        "    return workspace.read(name).text + open('/etc/motd').read()\n",
    ),
    "008": (
        HEAD + "import subprocess\n@tool(scope='x')\ndef f(name: str):\n"
        "    subprocess.run(['/bin/grep', name])\n",
        HEAD + "@tool(scope='x')\nasync def f(name: str, runner):\n"
        "    return await runner.run(['grep', name])\n",
    ),
    "009": (
        HEAD + "import httpx\n@tool\nasync def f(url: str):\n"
        "    async with httpx.AsyncClient() as client:\n"
        "        return await client.get(f'https://{url}')\n",
        HEAD + "import httpx\n@tool\nasync def f(city: str):\n"
        "    async with httpx.AsyncClient() as client:\n"
        "        return await client.get(f'https://x.example/{city}')\n",
    ),
    "010": (
        "import hmac\ndef f(k, m, s):\n"
        "    return hmac.new(k, m, 'sha256').hexdigest() == s\n",
        "import hmac\ndef f(k, m, s):\n    d = hmac.new(k, m, 'sha256')\n"
        "    return hmac.compare_digest(d.hexdigest(), s)\n",
    ),
    "011": ("breakpoint()\n", "def breakpoints():\n    return 1\n"),
    "012": (
        HEAD + "import importlib\n@tool\ndef f(name: str):\n"
        "    return importlib.import_module(name)\n",
        HEAD + "import importlib\n@tool\ndef f(name: str):\n"
        "    return getattr(importlib.import_module('json'), 'dumps')(name)\n",
    ),
    "013": (
        HEAD + "from jinja2 import Template\n@tool\ndef f(text: str):\n"
        "    return Template(text).render()\n",
        HEAD + "from jinja2 import Template\n@tool\ndef f(text: str):\n"
        "    return '{}'.format(Template('<{{ x }}>').render(x=text))\n",
    ),
    "014": (
        HEAD + "import sqlite3\n@tool\ndef f(query: str):\n"
        "    store = sqlite3.connect('x')\n    return store.execute(query)\n",
        HEAD
        + "@tool\ndef f(name: str, db, runner):\n    runner.execute(name)\n"
        "    return db.execute('PRAGMA user_version', (name,))\n",
    ),
    "015": (
        HEAD + "import os\n@tool\ndef f() -> dict:\n"
        "    return dict(os.environ)\n",
        HEAD + "import os\n@tool\ndef f(name: str) -> str:\n"
        "    return os.environ.get('LANG', name)\n",
    ),
    "016": (
        HEAD + "import re\n@tool\ndef f(pattern: str, text: str) -> bool:\n"
        "    return bool(re.search(pattern, text))\n",
        HEAD + "import re\n@tool\ndef f(word: str, text: str) -> bool:\n"
        "    return bool(re.search(re.escape(word) + r'\\b', text))\n",
    ),
    "017": (
        "import builtins\ndef f(x):\n    return builtins.eval(x)\n",
        "def f(x):\n    evaluate = x.eval\n    return getattr(x, 'value')\n",
    ),
    "018": (
        "import ssl\ndef f(c):\n"
        "    c.minimum_version = ssl.TLSVersion.TLSv1\n",
        "import ssl\ndef f(c):\n"
        "    c.minimum_version = ssl.TLSVersion.TLSv1_2\n",
    ),
    "019": (
        "from pathlib import Path\ndef f(p):\n    Path(p).chmod(0o666)\n",
        "from pathlib import Path\ndef f(p):\n    Path(p).chmod(0o644)\n",
    ),
    "020": (
        "import logging\ndef f(password):\n"
        "    logging.info('with %s', password)\n",
        "import logging\ndef f(password, user):\n"
        "    logging.info('password %s of %s', len(password), user.name)\n",
    ),
    "039": (
        HEAD + "import os\ndef _drop():\n    os.remove('/srv/a/b')\n"
        "@tool\ndef f() -> str:\n    _drop()\n    return ''\n",
        HEAD + "import os\ndef _drop():\n    os.remove('/srv/a/b')\n"
        "@tool(destructive=True)\ndef f() -> str:\n"
        "    _drop()\n    return ''\n",
    ),
    "040": (
        "import zipfile\ndef f(z):\n    for name in z.namelist():\n"
        "        with open('/srv/' + name, 'wb') as out:\n"
        "            out.write(z.read(name))\n",
        "import zipfile\ndef f(z):\n    for name in z.namelist():\n"
        "        print(len(name))\n    z.extractall('/srv/new')\n",
    ),
    "041": (
        "import jwt\nKEY = 'the same for all'\ndef f(claims):\n"
        "    return jwt.encode(claims, KEY, algorithm='HS256')\n",
        "import jwt\ndef f(claims, settings):\n"
        "    return jwt.encode(claims, settings.key, algorithm='HS256')\n",
    ),
    "021": (
        "def f(CORS, app):\n    return CORS(\n        app,"
        " allow_origins=['*'], allow_credentials=False\n    )\n",
        "def f(CORS, app):\n    return CORS(\n        app,"
        " allow_origins=['https://a.b'], allow_credentials=True\n    )\n",
    ),
    "022": (
        "from lxml import etree\nP = etree.XMLParser(resolve_entities=True)\n",
        "from lxml import etree\nP = etree.XMLParser(no_network=True)\n",
    ),
    "023": (
        HEAD + "@tool\ndef f(a: int) -> str:\n    try:\n"
        "        return str(1 // a)\n    except Exception as error:\n"
        "        return f'failed: {error}'\n",
        HEAD + "@tool\ndef f(a: int, log) -> str:\n    try:\n"
        "        return str(1 // a)\n    except ZeroDivisionError as error:\n"
        "        return f'failed: {error}'\n"
        "    except Exception as error:\n        log.warn(error)\n"
        "        raise ValueError('failed') from error\n",
    ),
    "024": (
        "import random\ndef new_token():\n"
        "    return ''.join(random.choices('abc', k=32))\n",
        "import secrets\ndef new_token(tokens):\n"
        "    return secrets.token_urlsafe(32)\n",
    ),
    "025": (
        "import re\nP = re.compile(r'^([a-z0-9]+)+@a$')\n",
        "import re\nP = re.compile(r'^([a-z0-9]+\\.)+com$')\n",
    ),
    "026": (
        "def f(r):\n    r.set_cookie('a', 'b', httponly=False)\n",
        "def f(r):\n    r.set_cookie('a', 'b', httponly=True, secure=True)\n",
    ),
    "027": (
        "from cryptography.hazmat.primitives.ciphers import modes\n"
        "m = modes.CBC(b'\\0' * 16)\n",
        "import os\n"
        "from cryptography.hazmat.primitives.ciphers import modes\n"
        "m = modes.CBC(os.urandom(16))\n",
    ),
    "028": (
        "import hashlib\ndef f(password):\n"
        "    return hashlib.sha256(password.encode()).hexdigest()\n",
        "import hashlib\ndef f(password, salt, token):\n"
        "    hashlib.sha256(token)\n"
        "    return hashlib.scrypt(password, salt=salt, n=2**14, r=8, p=1)\n",
    ),
    "029": (
        "async def f(context):\n"
        "    await context.elicit('Your API key, please', str)\n",
        "async def f(context, message):\n"
        "    await context.elicit('Which key of the table?', str)\n"
        "    await context.elicit(message, str)\n",
    ),
    "030": (
        HEAD + "@tool\ndef f(uid: str, c):\n"
        "    return c.search('dc=a', f'(&(a=b)(uid={uid}))')\n",
        HEAD + "import re\n@tool\ndef f(uid: str, c, escape_filter_chars):\n"
        "    re.compile('a').search(f'({uid})')\n"
        "    c.search('dc=a', '(a=*)', uid)\n"
        "    return c.search('dc=a', f'(uid={escape_filter_chars(uid)})')\n",
    ),
    "031": (
        "from fastmcp.server.middleware import Middleware\n"
        "class Unused(Middleware):\n    pass\n",
        "from fastmcp.server.middleware import Middleware\n"
        "class Used(Middleware):\n    pass\n"
        "def f(server):\n    server.add_middleware(Used())\n",
    ),
    "032": (
        "from fastmcp import FastMCP\nm = FastMCP('a')\n",
        "from fastmcp import FastMCP\ndef f(auth):\n"
        "    return FastMCP('a', auth=auth, middleware=[auth])\n",
    ),
    "033": (
        "from starlette.responses import RedirectResponse\n"
        "async def f(request):\n    to = request.query_params.get('next')\n"
        "    return RedirectResponse(to or '/')\n",
        "from starlette.responses import RedirectResponse\n"
        "async def f(request):\n    to = request.query_params.get('next')\n"
        "    if to not in {'/a', '/b'}:\n        to = '/'\n"
        "    return RedirectResponse(to), RedirectResponse('/c')\n",
    ),
    "035": (
        "import smtplib\ndef f(word):\n"
        "    s = smtplib.SMTP('a.example')\n    s.login('a', word)\n",
        "import smtplib\ndef f(word):\n"
        "    with smtplib.SMTP('a.example') as s:\n        s.starttls()\n"
        "        s.login('a', word)\n",
    ),
    "036": (
        "from starlette.requests import Request\n"
        "from starlette.responses import HTMLResponse\n"
        "def f(request: Request):\n"
        "    name = request.query_params['name']\n"
        "    return HTMLResponse(f'<p>{name}')\n",
        "import html\nfrom starlette.requests import Request\n"
        "from starlette.responses import HTMLResponse\n"
        "def f(request: Request):\n"
        "    name = html.escape(request.query_params['name'])\n"
        "    return HTMLResponse(f'<p>{name}')\n",
    ),
    "B102": ("def f(x):\n    exec(x)\n", "def execute(x):\n    return x\n"),
    "B105": (f"password = '{SECRET}'\n", "password = None\n"),
    "B301": (
        "import pickle\ndef f(x):\n    return pickle.loads(x)\n",
        "import json\ndef f(x):\n    return json.loads(x)\n",
    ),
    "B307": (
        "def f(x):\n    return eval(x)\n",
        "import ast\ndef f(x):\n    return ast.literal_eval(x)\n",
    ),
    "B506": (
        "import yaml\ndef f(x):\n    return yaml.load(x)\n",
        "import yaml\ndef f(x):\n    return yaml.load(x, yaml.SafeLoader)\n",
    ),
    "B602": (
        "import subprocess\ndef f(x):\n    subprocess.run(x, shell=True)\n",
        "def f(shell=True):\n    return shell\n",
    ),
    "B608": (
        "def f(c, x):\n    c.execute(f\"SELECT a FROM b WHERE c = '{x}'\")\n",
        "def f(c, x):\n    c.execute('SELECT a FROM b WHERE c = ?', (x,))\n",
    ),
}
NONE = "import ssl\ndef f(c):\n    c.verify_mode = ssl.CERT_NONE"
PINNED = (
    "import ssl\nc = ssl.create_default_context(cafile='/c.pem')\n"
    "c.check_hostname = False\n"
)
CASES = {
    "pinned": (PINNED, []),
    "pinned_and_off": (
        f"{PINNED}c.verify_mode = ssl.CERT_NONE\n",
        ["005 high"],
    ),
    "compared_with_our_own": (
        "API_TOKEN = open('/srv/t').read()\ndef f(token, settings):\n"
        "    return token == API_TOKEN or token != settings.api_key\n",
        ["010 medium"],
    ),
    "compared_with_each_other": (
        "def f(password, again, self):\n"
        "    return password == again and self.token == again\n",
        [],
    ),
    "unasked_by_a_table": (
        "import requests\nO = {'verify': False, 'timeout': 5}\n"
        "def f():\n    return requests.get('https://a.example', **O)\n",
        ["005 high", "B113 medium"],
    ),
    "told_to_a_new_logger": (
        "import logging\ndef f(token):\n"
        "    logging.getLogger(__name__).info('with %s', token)\n",
        ["020 high"],
    ),
    "told_with_an_event": (
        "def f(log, context):\n"
        "    log.event('called', arguments=context.message.arguments)\n",
        ["020 high"],
    ),
    "a_dot_between_repeats": (
        "import re\nP = re.compile(r'^(([a-z])+.)+[A-Z]$')\n",
        ["025 medium"],
    ),
    "written_and_read_only": (
        HEAD + "@tool(read_only=True)\ndef f() -> str:\n"
        "    with open('/srv/a', 'w') as file:\n        file.write('x')\n"
        "    return ''\n",
        ["039 medium"],
    ),
    "written_and_not_said": (
        HEAD + "@tool\ndef f() -> str:\n"
        "    with open('/srv/a', 'a') as file:\n        file.write('x')\n"
        "    return ''\n",
        [],
    ),
    "deleted_and_made_by_itself": (
        HEAD + "import os, tempfile\n@tool\ndef f() -> str:\n"
        "    d, name = tempfile.mkstemp()\n    os.remove(name)\n"
        "    return ''\n",
        [],
    ),
    "with_reason": (f"{NONE}  # MCP-CODE-005: asks this host only\n", []),
    "without_reason": (f"{NONE}  # MCP-CODE-005\n", ["005 high"]),
    "helped": (
        HEAD + "def read(p):\n    with open(p) as file:\n"
        "        return file.read()\ndef more(p):\n    return read(p)\n"
        "@tool\ndef f(name: str):\n    return more(name)\n",
        ["007 high"],
    ),
    "helped_with_a_fixed_word": (
        HEAD + "def read(p):\n    with open(p) as file:\n"
        "        return file.read()\n"
        "@tool\ndef f(name: str):\n    return name + read('/etc/motd')\n",
        [],
    ),
    "the_stack_told": (
        HEAD + "import traceback\n@tool\ndef f(a: int) -> str:\n    try:\n"
        "        return str(1 // a)\n    except ZeroDivisionError:\n"
        "        return traceback.format_exc()\n",
        ["023 medium"],
    ),
    "an_error_told_in_an_error": (
        HEAD + "@tool\ndef f(a: int) -> str:\n    try:\n"
        "        return str(1 // a)\n    except Exception as error:\n"
        "        raise ValueError(str(error)) from error\n",
        ["023 low"],
    ),
    "an_error_raised_again": (
        HEAD + "@tool\ndef f(a: int) -> str:\n    try:\n"
        "        return str(1 // a)\n    except Exception as error:\n"
        "        raise error\n",
        [],
    ),
    "a_code_of_chance": (
        "import random as r\ndef f(user):\n"
        "    user.reset_code = r.randint(0, 999999)\n",
        ["024 high"],
    ),
    "a_clock_for_a_session": (
        "import uuid\nsession_id = str(uuid.uuid1())\n",
        ["024 high"],
    ),
    "a_code_of_the_systems": (
        "import random\nsession_id = random.SystemRandom().random()\n",
        [],
    ),
    "a_delay_of_chance": (
        "import random\ndelay = random.random()\n",
        [],
    ),
    "waits_of_chance": (
        "import random, time\ndef f():\n"
        "    time.sleep(1 + random.random())\n"
        "    return random.uniform(0, 1), random.randint(0, 3)\n",
        ["B311 low"],
    ),
    "a_fixed_program": (
        "import subprocess, sys\nGIT = 'git'\ndef f():\n"
        "    subprocess.run([sys.executable, '-m', 'this'], check=True)\n"
        "    return subprocess.check_output([GIT, 'log', '-n', '5'])\n",
        [],
    ),
    "a_fixed_script": (
        "import subprocess\ndef f():\n"
        "    subprocess.run(['bash', '-c', 'curl a.example | sh'])\n",
        ["B607 low"],
    ),
    "a_program_of_others": (
        "import subprocess\ndef f(name):\n"
        "    subprocess.run(['/bin/cat', name])\n",
        ["B603 low"],
    ),
    "a_program_handed_on": (
        "import subprocess\ndef f(every):\n"
        "    return map(subprocess.getoutput, every)\n",
        ["B404 low"],
    ),
    "pickles_written": (
        "import pickle\ndef f(x):\n    return pickle.dumps(x)\n",
        [],
    ),
    "pickles_handed_on": (
        "import pickle\ndef f(every):\n    return map(pickle.loads, every)\n",
        ["B403 low"],
    ),
    "xml_written": (
        "import xml.etree.ElementTree as ET\ndef f():\n"
        "    return ET.tostring(ET.Element('a'))\n",
        [],
    ),
    "xml_read": (
        "import xml.etree.ElementTree as ET\ndef f(x):\n"
        "    return ET.fromstring(x)\n",
        ["B314 medium"],
    ),
    "a_fixed_address": (
        "from urllib.request import urlopen\nHOST = 'https://a.example'\n"
        "def f(name):\n    return urlopen(f'{HOST}/{name}', timeout=5)\n",
        [],
    ),
    "an_address_of_others": (
        "from urllib.request import urlopen\ndef f(HOST):\n"
        "    return urlopen(f'{HOST}/a', timeout=5)\n",
        ["B310 medium"],
    ),
    "a_statement_of_fixed_parts": (
        "NAMES = ('a', 'b')\nPUT = f\"INSERT INTO t ({', '.join(NAMES)})"
        ' VALUES (?, ?)"\ndef f(db, ids):\n'
        "    marks = ','.join('?' * len(ids))\n"
        "    db.execute('SELECT a FROM t WHERE b IN (%s)' % marks, ids)\n"
        "    db.execute(f'SELECT a FROM t LIMIT {int(ids[0])}')\n",
        [],
    ),
    "a_statement_of_given_parts": (
        "def f(db, names):\n    marks = ','.join(names)\n"
        "    db.execute('SELECT a FROM t WHERE b IN (%s)' % marks)\n",
        ["B608 high"],
    ),
    "a_right_statement_beside_a_wrong_one": (
        "def f(db, x):\n    db.execute('SELECT a FROM t WHERE b = %s' % 1);"
        " db.execute(f'SELECT a FROM t WHERE b = {x}')\n",
        ["B608 high"],
    ),
    "a_base_of_our_own": (
        HEAD + "import httpx\nAPI = 'https://a.example'\n@tool\n"
        "def f(name: str):\n    httpx.get(f'{API}/users/{name}', timeout=5)\n"
        "    client = httpx.Client(base_url=API)\n"
        "    return client.get(f'/users/{name}'), client.get('/%s' % name)\n",
        ["009 high"],
    ),
    "a_host_that_is_looked_up": (
        HEAD + "import httpx\nfrom urllib.parse import urlsplit\n"
        "@tool\ndef f(url: str):\n    parts = urlsplit(url)\n"
        "    if parts.hostname not in {'a.example'}:\n"
        "        raise ValueError\n    return httpx.get(url, timeout=5)\n",
        [],
    ),
    "a_host_looked_up_among_theirs": (
        HEAD + "import httpx\nfrom urllib.parse import urlsplit\n"
        "@tool\ndef f(url: str, hosts: list):\n"
        "    if urlsplit(url).hostname not in hosts:\n"
        "        raise ValueError\n    return httpx.get(url, timeout=5)\n",
        ["009 high"],
    ),
    "every_origin_with_credentials": (
        "def f(CORS, app):\n    return CORS(\n        app,"
        " allow_origin_regex='.*', allow_credentials=True\n    )\n",
        ["021 high"],
    ),
    "a_debugged_application": (
        "from starlette.applications import Starlette\n"
        "a = Starlette(debug=True)\n",
        ["026 medium"],
    ),
    "bent_arguments": (
        "def f(Catalog):\n    Catalog(strict_input_validation=False)\n",
        ["026 medium"],
    ),
    "details_told": (
        "def f(Catalog):\n    Catalog(mask_error_details=False)\n",
        ["026 medium"],
    ),
    "an_hmac_by_name": (
        "import hmac\ndef f(k, m, s):\n    mac = hmac.new(k, m, 'sha256')\n"
        "    expected = 'sha256=' + mac.hexdigest()\n"
        "    return mac.digest() == s or expected == s\n",
        ["010 medium"],
    ),
    "a_digest_of_no_secret": (
        "import hashlib\ndef f(m, s):\n    mac = hashlib.sha256(m)\n"
        "    expected = mac.hexdigest()\n    return expected == s\n",
        [],
    ),
    "redirected_at_once": (
        "from flask import redirect, request\ndef f():\n"
        "    return redirect(request.args['next'])\n",
        ["033 medium"],
    ),
    "redirected_by_a_name": (
        "def f(request, redirect, names):\n"
        "    return redirect('/item/' + request.args['id'], request.url)\n",
        [],
    ),
    "numbers_of_any_length": (
        "import sys\nsys.set_int_max_str_digits(0)\n",
        ["026 medium"],
    ),
    "numbers_of_some_length": (
        "import sys\nsys.set_int_max_str_digits(10_000)\n",
        [],
    ),
    "optional_between": (
        "import re\nre.match(r'(\\w+\\s?)*$', 'a')\n",
        ["025 medium"],
    ),
    "either_repeated": (
        "import re\nre.fullmatch(r'(?:a*|b)+', 'a')\n",
        ["025 medium"],
    ),
    "nothing_after": ("import re\nre.match(r'(?:a+)+', 'a')\n", []),
    "bounded_repeats": ("import re\nre.match(r'(?:a{1,3}){1,3}$', 'a')\n", []),
    "no_pattern": ("import re\nre.match('(', 'a')\n", []),
    "every_host": (
        "def f(app, TrustedHostMiddleware):\n"
        "    app.add_middleware(TrustedHostMiddleware, allowed_hosts=['*'])\n",
        ["026 medium"],
    ),
    "every_proxy": (
        "import uvicorn\nuvicorn.run('a', forwarded_allow_ips='*')\n",
        ["026 high"],
    ),
    "few_rounds": (
        "import bcrypt\nsalt = bcrypt.gensalt(rounds=4)\n",
        ["026 medium"],
    ),
    "few_rounds_by_place": (
        "import hashlib\ndef f(p, s):\n"
        "    return hashlib.pbkdf2_hmac('sha256', p, s, 1_000)\n",
        ["026 medium"],
    ),
    "a_small_scrypt": (
        "import hashlib\ndef f(p, s):\n"
        "    return hashlib.scrypt(p, salt=s, n=1024, r=8, p=1)\n",
        ["026 medium"],
    ),
    "a_large_scrypt": (
        "import hashlib\ndef f(p, s):\n"
        "    return hashlib.scrypt(p, salt=s, n=2**14, r=8, p=1)\n",
        [],
    ),
    "a_shell_in_a_thread": (
        "import asyncio, subprocess\nasync def f(x):\n"
        "    await asyncio.to_thread(subprocess.run, x, shell=True)\n",
        ["003 high"],
    ),
    "a_list_in_a_thread": (
        "import asyncio, subprocess\nasync def f():\n"
        "    await asyncio.to_thread(subprocess.run, ['/bin/ls'])\n",
        ["B404 low"],
    ),
    "logged_headers": (
        "def f(log, request):\n    log.info('%s', dict(request.headers))\n",
        ["020 high"],
    ),
    "logged_header": (
        "def f(log, request):\n    log.info(request.headers['accept'])\n",
        [],
    ),
    "weak_ciphers": (
        "CIPHERS = 'ALL:@SECLEVEL=0'\ndef f(c):\n    c.set_ciphers(CIPHERS)\n",
        ["018 high"],
    ),
    "strong_ciphers": ("def f(c):\n    c.set_ciphers('ECDHE+AESGCM')\n", []),
    "answers_a_request": (
        "import os\nfrom starlette.requests import Request\n"
        "async def debug(request: Request):\n    return dict(os.environ)\n",
        ["015 critical"],
    ),
    "a_plugin_of_the_callers": (
        HEAD + "from importlib.util import spec_from_file_location\n@tool\n"
        "def f(path: str):\n    return spec_from_file_location('x', path)\n",
        ["012 critical"],
    ),
    "enough_rounds": ("import bcrypt\nsalt = bcrypt.gensalt(rounds=12)\n", []),
    "every_origin_alone": (
        "def f(CORS, app):\n    return CORS(app, allow_origins=['*'])\n",
        ["021 medium"],
    ),
    "unverified_by_name": (
        "import jwt\noff = {'verify_signature': False}\ndef f(t):\n"
        "    return jwt.decode(t, options=off)\n",
        ["006 critical"],
    ),
    "unsigned": (
        "import jwt\nt = jwt.encode({}, '', algorithm='none')\n",
        ["006 critical"],
    ),
    "looked_up": (
        HEAD + "FILES = {'a': '/srv/a'}\n@tool\ndef f(name: str):\n"
        "    return open(FILES[name]).read() + open(FILES.get(name)).read()\n",
        [],
    ),
    "looked_up_in_theirs": (
        HEAD + "@tool\ndef f(names: dict):\n"
        "    return open(names['a']).read()\n",
        ["007 high"],
    ),
    "confined_path": (
        HEAD + "from pathlib import Path\nROOT = Path('/srv')\n@tool\n"
        "def f(name: str):\n    path = (ROOT / name).resolve()\n"
        "    if not path.is_relative_to(ROOT):\n        raise ValueError\n"
        "    return path.read_text()\n",
        [],
    ),
    "compared_path": (
        HEAD + "import os\n@tool\ndef f(name: str):\n"
        "    path = os.path.realpath(os.path.join('/srv', name))\n"
        "    if not path.startswith('/srv'):\n        raise ValueError\n"
        "    return open(path).read()\n",
        ["007 high"],
    ),
    "statement_read": (
        HEAD + "import pandas\n@tool\ndef f(sql: str, db):\n"
        "    return str(pandas.read_sql(sql, db))\n",
        ["014 high"],
    ),
    "prose_that_selects": (
        "def f(x):\n    return f'Select {x} from the list, or delete it'\n",
        [],
    ),
    "prose_beside_a_statement": (
        "def f(x, db):\n    # take the rows from the table\n"
        "    return db.execute(f\"SELECT a FROM t WHERE b = '{x}'\")"
        "  # from the table\n",
        ["B608 high"],
    ),
    "kind_beside_a_password": (
        "def f(token_type, login):\n"
        "    return login(token_type, password='hunter')  # token_type\n",
        ["B106 low"],
    ),
    "kind_of_token": (
        "def f(token_type):\n    return token_type == 'bearer'\n",
        [],
    ),
    "a_script_for_mongo": (
        HEAD + "@tool\ndef f(name: str, db):\n"
        "    return db.users.find({'$where': f'this.a == {name}'})\n",
        ["030 high"],
    ),
    "an_element_of_any_name": (
        HEAD + "@tool\ndef f(name: str, tree):\n"
        "    return tree.xpath('//user[@name=\"' + name + '\"]')\n",
        ["030 high"],
    ),
    "unverified_session": (
        "import requests\ns = requests.Session()\ns.verify = False\n",
        ["005 high"],
    ),
    "verified_elsewhere": ("def f(self):\n    self.verify = False\n", []),
    "typed_into_a_terminal": (
        HEAD + "import pexpect\n@tool\ndef f(command: str):\n"
        "    return pexpect.run(command)\n",
        ["008 critical"],
    ),
    "calculated_by_a_frame": (
        HEAD + "import pandas\n@tool\ndef f(text: str):\n"
        "    return pandas.DataFrame().eval(text)\n",
        ["012 critical"],
    ),
    "queried_by_a_frame": (
        HEAD + "import pandas as pd\n@tool\ndef f(text: str, other):\n"
        "    frame = pd.DataFrame()\n    other.query(text)\n"
        "    return frame.query(text)\n",
        ["012 critical"],
    ),
    "any_attribute_set": (
        HEAD + "@tool\ndef f(name: str, value: str, settings):\n"
        "    setattr(settings, name, value)\n",
        ["012 medium"],
    ),
    "sql_of_the_drivers": (
        HEAD + "@tool\ndef f(sql: str, link):\n"
        "    return link.exec_driver_sql(sql)\n",
        ["014 high"],
    ),
    "removed_path": (
        HEAD + "import aiofiles.os\n@tool\nasync def f(path: str):\n"
        "    await aiofiles.os.remove(path)\n",
        ["007 high"],
    ),
    "goes_round": (
        HEAD + "@tool\ndef f(log):\n    while True:\n        log.read()\n",
        ["042 medium"],
    ),
    "goes_round_and_leaves": (
        HEAD + "import time\n@tool\ndef f(log):\n    while True:\n"
        "        time.sleep(1)\n        if log.read():\n"
        "            return 1\n",
        [],
    ),
    "copied_in_a_thread": (
        HEAD + "import asyncio, shutil\n@tool\nasync def f(a: str):\n"
        "    await asyncio.to_thread(shutil.copyfile, a, '/srv/x')\n",
        ["007 high"],
    ),
    "loaded_by_name": (
        "from yaml import Loader, load\n"
        "def f(x):\n    return load(x, Loader)\n",
        ["004 high"],
    ),
    "loaded_safely_by_name": (
        "from yaml import SafeLoader, load\n"
        "def f(x):\n    return load(x, Loader=SafeLoader)\n",
        [],
    ),
    "a_cipher_of_yesterday": (
        "from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4\n"
        "def f(key):\n    return ARC4(key)\n",
        ["026 high"],
    ),
    "a_secret_in_a_table": (
        HEAD + "import os\n@tool\ndef f():\n"
        "    return {'key': os.getenv('API_KEY'), 'mode': 1}\n",
        ["015 high"],
    ),
    "a_secret_that_is_there": (
        HEAD + "import os\n@tool\ndef f():\n"
        "    return {'key': bool(os.getenv('API_KEY'))}\n",
        [],
    ),
    "evaluated_for_a_caller": (
        HEAD + "@tool\ndef f(text: str):\n    return eval(text)\n",
        ["B307 critical"],
    ),
    "a_shell_for_a_caller": (
        HEAD + "import subprocess\n@tool\ndef f(host: str):\n"
        "    return subprocess.check_output(['sh', '-c', f'ping {host}'])\n",
        ["008 critical"],
    ),
    "an_option_of_a_callers": (
        HEAD + "import subprocess\n@tool\ndef f(host: str):\n"
        "    return subprocess.check_output(['/bin/ping', host])\n",
        ["008 high"],
    ),
    "tools/calls_another_file": (
        "from ..unpacked_for_a_tool import unpack\n"
        "def f(blob: bytes):\n    return unpack(blob)\n",
        [],
    ),
    "unpacked_for_a_tool": (
        "import pickle\ndef unpack(blob):\n    return pickle.loads(blob)\n",
        ["B301 critical"],
    ),
    "unpacked_for_nobody": (
        "import pickle\ndef unpack_ours(blob):\n"
        "    return pickle.loads(blob)\n",
        ["B301 high"],
    ),
    "unverified_fork": (
        "import httpx2\nc = httpx2.AsyncClient(verify=False)\n",
        ["005 high"],
    ),
    "endless_wait": (
        "from httpx2 import AsyncClient\nc = AsyncClient(timeout=None)\n",
        ["026 medium"],
    ),
    "every_interface": (
        "import socket\ns = socket.socket()\ns.bind(('', 80))\n",
        ["026 medium"],
    ),
    "one_interface": (
        "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 80))\n",
        [],
    ),
    "tokens_for_tests": (
        "from fastmcp.server.auth import StaticTokenVerifier\n"
        "v = StaticTokenVerifier(tokens={})\n",
        ["026 medium"],
    ),
    "every_redirect": (
        "def f(OAuthProxy):\n"
        "    OAuthProxy(allowed_client_redirect_uris=['https://*'])\n",
        ["026 high"],
    ),
    "a_fixed_nonce": (
        "from Crypto.Cipher import AES\n"
        "def f(key):\n    return AES.new(key, AES.MODE_GCM, nonce=b'0123')\n",
        ["027 high", "B413 high"],
    ),
    "calculated": (
        HEAD + "import sympy\n@tool\ndef f(text: str):\n"
        "    return str(sympy.sympify(text))\n",
        ["012 critical"],
    ),
    "secret_returned": (
        HEAD + "import os\n@tool\ndef f():\n"
        "    return os.environ['API_KEY']\n",
        ["015 high"],
    ),
    "region_returned": (
        HEAD + "import os\n@tool\ndef f():\n    return os.environ['REGION']\n",
        [],
    ),
    "no_certificate": (
        "import urllib3\nP = urllib3.PoolManager(cert_reqs='CERT_NONE')\n",
        ["005 high"],
    ),
    "a_certificate": (
        "import urllib3\nP = urllib3.PoolManager(cert_reqs='CERT_REQUIRED')\n",
        [],
    ),
    "unpacked": (
        HEAD + "import shutil\n@tool\ndef f(name: str):\n"
        "    return shutil.unpack_archive(name, '/workspace')\n",
        ["007 high"],
    ),
    "line_of": (
        HEAD + "import linecache\n@tool\ndef f(name: str):\n"
        "    return linecache.getline(name, 1)\n",
        ["007 high"],
    ),
    "any_host": (
        HEAD + "import http.client\n@tool\ndef f(host: str):\n"
        "    return http.client.HTTPSConnection(host)\n",
        ["009 high"],
    ),
    "one_host": (
        HEAD + "import http.client\n@tool\ndef f(path: str):\n"
        "    c = http.client.HTTPSConnection('a.example')\n"
        "    c.request('GET', path)\n",
        [],
    ),
    "environment_by_name": (
        HEAD + "import os\n@tool\ndef f():\n"
        "    found = dict(os.environ)\n    return found\n",
        ["015 critical"],
    ),
    "environment_rebuilt": (
        HEAD + "import os\n@tool\ndef f():\n"
        "    return {k: v for k, v in os.environ.items()}\n",
        ["015 critical"],
    ),
    "environment_chosen_from": (
        HEAD + "import os\n@tool\ndef f():\n    return {\n"
        "        k: v for k, v in os.environ.items() if k == 'LANG'\n    }\n",
        [],
    ),
    "unverified_claims": (
        "from jose import jwt\ndef f(t):\n"
        "    return jwt.get_unverified_claims(t)\n",
        ["006 critical"],
    ),
    "against_the_environment": (
        "import os\ndef f(api_key):\n"
        "    return api_key == os.environ['KEY']\n",
        ["010 medium"],
    ),
    "mode_of_the_environment": (
        "import os\ndef f(mode):\n    return mode == os.getenv('MODE')\n",
        [],
    ),
    "console": ("import code\ncode.interact()\n", ["011 medium"]),
    "eval_put_together": (
        "import builtins\ndef f(x):\n"
        "    return getattr(builtins, 'ev' + 'al')(x)\n",
        ["017 high"],
    ),
    "eval_of_the_table": (
        "def f(x):\n    return __builtins__['ev' + 'al'](x)\n",
        ["017 high"],
    ),
    "named_builtin": (
        "import builtins\ndef f(x):\n"
        "    return getattr(builtins, 'len')(x), __builtins__['str']\n",
        [],
    ),
    "mode_by_names": (
        "import os, stat\ndef f(p):\n"
        "    os.chmod(p, stat.S_IRUSR | stat.S_IWOTH)\n",
        ["019 medium"],
    ),
    "own_mode_by_names": (
        "import os, stat\ndef f(p):\n"
        "    os.chmod(p, stat.S_IRUSR | stat.S_IWUSR)\n",
        [],
    ),
    "token_by_keyword": (
        "def f(log, password):\n    log.info('in', password=password)\n",
        ["020 high"],
    ),
    "header_in_the_log": (
        "def f(log, request):\n"
        "    log.debug('%s', request.headers['authorization'])\n",
        ["020 high"],
    ),
    "length_by_keyword": (
        "def f(log, password):\n    log.info('in', size=len(password))\n",
        [],
    ),
    "opened_path": (
        HEAD + "from pathlib import Path\n@tool\ndef f(name: str):\n"
        "    return Path(name).open()\n",
        ["007 high"],
    ),
    "replaced_by": (
        HEAD + "import os\n@tool\ndef f(name: str):\n"
        "    os.execvp(name, [name])\n",
        ["008 critical"],
    ),
    "any_session": (
        HEAD + "import aiohttp\n@tool\nasync def f(url: str):\n"
        "    async with aiohttp.ClientSession() as s, s.get(url) as r:\n"
        "        return await r.text()\n",
        ["009 high"],
    ),
    "any_port": (
        HEAD + "import socket\n@tool\ndef f(host: str):\n"
        "    return socket.create_connection((host, 80))\n",
        ["009 high"],
    ),
    "own_format": (
        HEAD + "@tool\ndef f(text: str):\n    return text.format(f)\n",
        ["013 high"],
    ),
    "own_attribute": (
        HEAD + "import os\n@tool\ndef f(name: str):\n"
        "    return getattr(os, name)()\n",
        ["012 critical"],
    ),
    "own_variable": (
        HEAD + "import os\n@tool\ndef f(name: str):\n"
        "    return os.environ[name]\n",
        ["015 high"],
    ),
    "no_end": (
        "import jwt\ndef f(t, k):\n    return jwt.decode(\n"
        "        t, k, ['RS256'], options={'verify_exp': False})\n",
        ["006 high"],
    ),
    "header": (
        "def f(request, x):\n"
        "    return request.headers['authorization'] == 'Bearer ' + x\n",
        ["010 medium"],
    ),
    "other_header": (
        "def f(request):\n    return request.headers['accept'] == 'a/b'\n",
        [],
    ),
    "aiohttp": (
        "import aiohttp\nc = aiohttp.TCPConnector(ssl=False)\n",
        ["005 high"],
    ),
    "unverified_default": (
        "import ssl\nssl._create_default_https_context = "
        "ssl._create_unverified_context\n",
        ["005 high"],
    ),
    "unsafe_yaml": (
        "from ruamel.yaml import YAML\ny = YAML(typ='unsafe')\n",
        ["004 high"],
    ),
    "eval_renamed": ("run = eval\n", ["017 high"]),
    "eval_fetched": (
        "import builtins\nrun = getattr(builtins, 'eval')\n",
        ["017 high"],
    ),
    "umask": ("import os\nos.umask(0)\n", ["019 medium"]),
    "umask_read": ("import os\nmask = os.umask(0)\nos.umask(mask)\n", []),
    "tls_in_a_table": ("import ssl\nx = {ssl.TLSVersion.TLSv1: 1}\n", []),
    "tls_context": (
        "import ssl\nc = ssl.SSLContext(ssl.PROTOCOL_TLSv1)\n",
        ["018 high"],
    ),
    "umask_kept": ("import os\nos.umask(0o077)\n", []),
    "token_in_text": (
        "def f(log, token):\n    log.info(f'using {token}')\n",
        ["020 high"],
    ),
    "a_url": ("token_url = 'https://id.example.com/token'\n", []),
    "a_name_of_a_header": ("TOKEN_HEADER = 'X-Auth-Token'\n", []),
    "a_word": ("token = 'bearer'\n", ["B105 low"]),
    "an_empty_word": ("token = ''\n", []),
    "other_password": ("password = 'Other" + "Pa55!'\n", ["B105 high"]),
    "moved_eval": (
        "import os\n\ndef g(x):\n  return eval(x)\n",
        ["B307 high"],
    ),
    "silenced_whole": ("x = 1  # " + "noqa\n", ["002 low"]),
    "silenced_style": ("x = 1  # " + "noqa: E501, PLR0913\n", []),
    "silenced_type": ("x = 1  # " + "type: ignore[arg-type]\n", []),
    "silenced_twice": (
        "import os\nos.popen('ls')  # "
        + "noqa: S605 # "
        + "nosec B605 B607\n",
        ["001 low"],
    ),
    "CVS": ("eval('1')\n", ["B307 high"]),
    "-rf": ("eval('1')\n", ["B307 high"]),
    "new\nline": ("eval('1')\n", ["B307 high"]),
    "é": ("eval('1')\n", ["B307 high"]),
    "a_number": (
        HEAD + "@tool\ndef f(page: int, kind: Literal['a', 'b']):\n"
        "    return open(f'/srv/{page}-{kind}.txt')\n",
        [],
    ),
    "a_few_letters": (
        HEAD + "Name = Annotated[str, Field(pattern='^[a-z][a-z0-9-]*$')]\n"
        "@tool\ndef f(name: Name):\n    return open(f'/srv/{name}.txt')\n",
        [],
    ),
    "letters_and_dots": (
        HEAD + "Name = Annotated[str, Field(pattern='^[a-z./]+$')]\n"
        "@tool\ndef f(name: Name):\n    return open(f'/srv/{name}.txt')\n",
        ["007 high"],
    ),
    "a_list_of_names": (
        HEAD + "@tool\ndef f(names: list[str]):\n"
        "    return [open('/srv/' + name) for name in names]\n",
        ["007 high"],
    ),
    "counted_marks": (
        HEAD + "@tool\ndef f(ids: list[str], db, most: int):\n"
        "    marks = ','.join('?' for _ in ids)\n"
        "    return db.execute(f'SELECT a FROM"
        " b WHERE c IN ({marks}) LIMIT {most}', ids)\n",
        [],
    ),
    "in_memory": (
        HEAD + "import io\nimport zipfile\n@tool\ndef f(path: str, w):\n"
        "    data = io.BytesIO(w.read(path))\n"
        "    return zipfile.ZipFile(data).namelist()\n",
        [],
    ),
    "found_by_a_pattern": (
        HEAD + "from pathlib import Path\n@tool\ndef f(pattern: str):\n"
        "    return [*Path('/srv').glob(pattern)]\n",
        ["007 high"],
    ),
    "a_function_by_name": (
        HEAD + "import os\n@tool\ndef f(name: str):\n"
        "    return getattr(os, name)('ls')\n",
        ["012 critical"],
    ),
    "a_wait_of_a_helper": (
        HEAD + "import time\n@tool\ndef f(minutes: int):\n"
        "    seconds = minutes * 60\n    time.sleep(seconds)\n",
        ["042 medium"],
    ),
    "unpacked_below_a_path": (
        "import zipfile\ndef f(z, root):\n    for info in z.infolist():\n"
        "        place = root / info.filename\n"
        "        place.write_bytes(z.read(info))\n",
        ["040 high"],
    ),
    "unpacked_one_by_one": (
        "import tarfile\ndef f(tar):\n    for member in tar.getmembers():\n"
        "        tar.extract(member, '/srv/new')\n",
        ["040 high"],
    ),
    "unpacked_and_asked": (
        "import zipfile\ndef f(z, root):\n    for info in z.infolist():\n"
        "        place = (root / info.filename).resolve()\n"
        "        if not place.is_relative_to(root):\n"
        "            raise ValueError\n"
        "        place.write_bytes(z.read(info))\n",
        [],
    ),
    "unpacked_without_dots": (
        "import zipfile\ndef f(z, root):\n    for name in z.namelist():\n"
        "        if '..' in name or name.startswith('/'):\n"
        "            raise ValueError\n"
        "        (root / name).write_bytes(z.read(name))\n",
        [],
    ),
    "kept_in_an_object": (
        "class A:\n    def f(self, api_key):\n"
        "        return api_key == self._api_key\n",
        ["010 medium"],
    ),
    "kept_in_a_table": (
        "def f(users, user, password):\n"
        "    return users.get(user) == password\n",
        ["010 medium"],
    ),
    "an_expected_token": (
        "def allowed(token, expected_token):\n"
        "    return token == expected_token\n",
        ["010 medium"],
    ),
    "a_repeated_password": (
        "def f(password, password_again, Kind, secret, form):\n"
        "    return password == password_again or secret == Kind.PASSWORD"
        " or form['password'] == password.strip()\n",
        [],
    ),
    "a_parser": (
        "class Parser:\n    def f(self, token, expected_token):\n"
        "        return token == expected_token or token == self.token\n",
        [],
    ),
    "a_lexer": (
        "def f(tokens, token):\n    close_token = ')'\n"
        "    return token == 'and' or tokens[0] == '('\n",
        [],
    ),
    "a_fixed_list_by_name": (
        "import subprocess\ndef f():\n    argv = ['/bin/git', 'status']\n"
        "    subprocess.run(argv, shell=False)\n"
        "    subprocess.run(args=('/bin/uptime',))\n",
        [],
    ),
    "a_list_that_grows": (
        "import subprocess\ndef f(word):\n    argv = ['/bin/git']\n"
        "    argv.append(word)\n    subprocess.run(argv)\n",
        ["B603 low"],
    ),
    "another_of_its_name": (
        "def f(Server):\n    return Server(on_duplicate='replace')\n",
        ["026 medium"],
    ),
    "loaded_again": (
        "import uvicorn\ndef f(app):\n    uvicorn.run(app, reload=True)\n",
        ["026 medium"],
    ),
    "silenced": (
        "import urllib3\nimport warnings\n"
        "warnings.simplefilter('ignore')\nurllib3.disable_warnings()\n",
        ["026 low", "026 low"],
    ),
    "silenced_here": (
        "import warnings\nwith warnings.catch_warnings():\n"
        "    warnings.simplefilter('ignore')\n"
        "warnings.filterwarnings('ignore', category=DeprecationWarning)\n",
        [],
    ),
    "a_name_of_ours": (
        HEAD + "NAMES = {'a': 1}\n@tool\ndef f(name: str):\n"
        "    name = name.lower()\n    if name not in NAMES:\n"
        "        raise ValueError\n    path = '/srv/' + name\n"
        "    return open(path)\n",
        [],
    ),
    "a_name_of_ours_and_another": (
        HEAD + "NAMES = {'a': 1}\n@tool\ndef f(name: str, more: str):\n"
        "    if name not in NAMES:\n        raise ValueError\n"
        "    return open('/srv/' + name + more)\n",
        ["007 high"],
    ),
    "matched_as_a_whole": (
        HEAD + "import re\nNAME = re.compile('[a-z]+')\n@tool\n"
        "def f(name: str):\n    if NAME.fullmatch(name) is None:\n"
        "        raise ValueError\n    return open('/srv/' + name)\n",
        [],
    ),
    "matched_at_its_start": (
        HEAD + "import re\nNAME = re.compile('[a-z]+')\n@tool\n"
        "def f(name: str):\n    if not NAME.match(name):\n"
        "        raise ValueError\n    return open('/srv/' + name)\n",
        ["007 high"],
    ),
    "its_last_part": (
        HEAD + "from pathlib import Path\n@tool\ndef f(name: str):\n"
        "    if name != Path(name).name:\n        raise ValueError\n"
        "    return (Path('/srv') / name).read_text()\n",
        [],
    ),
    "letters_alone": (
        HEAD + "@tool\ndef f(name: str):\n"
        "    slug = ''.join(c for c in name if c.isalnum())\n"
        "    return open(f'/srv/{slug}')\n",
        [],
    ),
    "letters_and_more": (
        HEAD + "@tool\ndef f(name: str):\n"
        "    slug = ''.join(c for c in name if c.isalnum() or c in './')\n"
        "    return open(f'/srv/{slug}')\n",
        ["007 high"],
    ),
    "asked_and_changed": (
        HEAD + "@tool\ndef f(name: str, more: str):\n"
        "    if not name.isalnum():\n        raise ValueError\n"
        "    name = name + more\n    return open('/srv/' + name)\n",
        ["007 high"],
    ),
    "a_column_of_ours": (
        HEAD + "@tool\ndef f(column: str, db):\n"
        "    if column not in ('a', 'b'):\n        raise ValueError\n"
        "    return db.execute(f'SELECT c FROM"
        " d ORDER BY {column}')\n",
        [],
    ),
    "opened_by_an_object": (
        HEAD + "class Reader:\n    def read(self, name):\n"
        "        return open('/srv/' + name)\nREADER = Reader()\n"
        "@tool\ndef f(name: str):\n    return READER.read(name)\n",
        ["007 high"],
    ),
    "kept_by_an_object": (
        HEAD + "class Keeper:\n    def read(self, name):\n"
        "        return open('/srv/a').read(), name\nKEEPER = Keeper()\n"
        "@tool\ndef f(name: str):\n    return KEEPER.read(name)\n",
        [],
    ),
    "sealed_with_one_nonce": (
        "from cryptography.hazmat.primitives.ciphers.aead import AESGCM\n"
        "def f(k, t):\n    return AESGCM(k).encrypt(b'0' * 12, t, None)\n",
        ["027 high"],
    ),
    "a_secret_shown": (
        HEAD + "@tool\ndef f(settings):\n    key = settings.key\n"
        "    return key.get_secret_value() if key else ''\n",
        ["015 high"],
    ),
    "a_secret_used": (
        HEAD + "@tool\nasync def f():\n"
        "    return await CLIENT.post('/me', resources().settings.key"
        ".get_secret_value())\n",
        [],
    ),
    "asked_by_a_helper": (
        HEAD + "def _inside(name):\n    path = (ROOT / name).resolve()\n"
        "    if not path.is_relative_to(ROOT):\n        raise OSError\n"
        "    return path\n"
        "@tool\ndef f(name: str):\n    return _inside(name).read_text()\n",
        [],
    ),
    "asked_by_a_helper_in_vain": (
        HEAD + "def _inside(name):\n    path = (ROOT / name).resolve()\n"
        "    if not path.is_relative_to(ROOT):\n        log(path)\n"
        "    return path\n"
        "@tool\ndef f(name: str):\n    return _inside(name).read_text()\n",
        ["007 high"],
    ),
    "refused_by_a_helper": (
        HEAD + "def _check(name):\n    if name not in NAMES:\n"
        "        raise OSError\n"
        "@tool\ndef f(name: str):\n    _check(name)\n"
        "    return open('/srv/' + name)\n",
        [],
    ),
    "not_refused_by_a_helper": (
        HEAD + "def _check(name):\n    if name not in NAMES:\n"
        "        log(name)\n"
        "@tool\ndef f(name: str):\n    _check(name)\n"
        "    return open('/srv/' + name)\n",
        ["007 high"],
    ),
    "a_digest_and_a_number": (
        HEAD + "import hashlib\nimport re\n@tool\n"
        "def f(a: str, b: str, c: str):\n"
        "    name = hashlib.sha256(a).hexdigest()\n"
        "    slug = re.sub('[^a-z0-9]+', '-', c)\n"
        "    return open(f'/srv/{name}-{int(b)}-{slug}')\n",
        [],
    ),
    "a_header_passed_on": (
        HEAD + "@tool\ndef f() -> str:\n    heard = get_http_headers()\n"
        "    return ask({'authorization': heard.get('authorization')})\n",
        ["045 high"],
    ),
    "notes_that_all_callers_share": (
        HEAD + "_notes = []\n@tool\ndef add(text: str, tag: str) -> str:\n"
        "    note = Note(text=text.strip(), tag=tag)\n"
        "    _notes.append(note)\n    return ''\n"
        "@tool(read_only=True)\ndef every() -> list[str]:\n"
        "    return [note.text for note in _notes]\n",
        ["046 medium"],
    ),
    "the_last_question_kept": (
        HEAD + "_last = ''\n@tool\ndef ask(question: str) -> str:\n"
        "    global _last\n    before, _last = 1, 2\n    told = _last\n"
        "    _last = question\n    return told\n",
        ["046 medium"],
    ),
    "a_cache_that_all_callers_share": (
        HEAD + "_cache = {}\n@tool\nasync def f(city: str) -> str:\n"
        "    if city not in _cache:\n"
        "        answer = await maps.find(city)\n"
        "        _cache[city] = answer.text\n"
        "    return _cache[city]\n",
        [],
    ),
    "what_was_seen_and_counted": (
        HEAD + "_seen = set()\n@tool\ndef f(word: str) -> int:\n"
        "    if word not in _seen:\n        _seen.add(word)\n"
        "    return len(_seen)\n",
        [],
    ),
    "a_list_of_the_call_s_own": (
        HEAD + "@tool\ndef f(text: str) -> list[str]:\n    found = []\n"
        "    found.append(text)\n    return found\n",
        [],
    ),
    "read_only_and_writes_the_workspace": (
        HEAD + "@tool(read_only=True)\ndef f(path: str, text: str) -> int:\n"
        "    return resources().workspace.write(path, text.encode())\n",
        ["039 medium"],
    ),
    "read_only_and_reads_the_workspace": (
        HEAD + "@tool(read_only=True)\ndef f(path: str, out: list[str]):\n"
        "    out.remove(path)\n"
        "    return resources().workspace.read(path).text\n",
        [],
    ),
    "a_workspace_of_its_own": (
        HEAD + "from ..workspace import Workspace\n@tool(read_only=True)\n"
        "def f(path: str) -> str:\n"
        "    with Workspace.open('/', max_file_size=9) as root:\n"
        "        return root.read(path).text\n",
        ["048 high"],
    ),
    "the_server_s_tokens_read": (
        HEAD + "@tool(read_only=True)\ndef f() -> str:\n"
        "    file = resources().settings.auth_tokens_file\n"
        "    return file.read_text() if file else ''\n",
        ["048 high"],
    ),
    "whether_there_are_tokens": (
        HEAD + "@tool(read_only=True)\ndef f() -> bool:\n"
        "    lent = resources()\n"
        "    return lent.settings.auth_tokens_file is not None\n",
        [],
    ),
    "every_setting": (
        HEAD + "@tool(read_only=True)\ndef f() -> dict:\n"
        "    return {'all': resources().settings.model_dump(mode='json')}\n",
        ["015 medium"],
    ),
    "some_settings": (
        HEAD + "@tool(read_only=True)\ndef f() -> dict:\n"
        "    lent = resources()\n    return {'a': lent.settings.transport,\n"
        "        'b': lent.settings.model_dump(include={'host'})}\n",
        [],
    ),
    "headers_of_a_scope_to_the_log": (
        "def f(scope):\n    log.event('asked', path=scope['path'])\n"
        "    log.event('asked', headers=dict(scope['headers']))\n",
        ["020 high"],
    ),
    "arguments_to_the_log": (
        "def f(context):\n"
        "    got = getattr(context.message, 'arguments', None)\n"
        "    log.event('x', size=len(context.message.arguments))\n"
        "    log.event('x', given=json.dumps(got))\n"
        "    asked = getattr(context.message, 'arguments', None) or {}\n"
        "    log.event('x', size=len(asked), given=str(\n"
        "        getattr(context.message, 'arguments', None) or {}))\n"
        "    return got\n",
        ["020 high"],
    ),
    "a_program_that_was_found": (
        "import shutil\nimport subprocess\ndef f(count: int):\n"
        "    git = shutil.which('git') or '/usr/bin/git'\n"
        "    subprocess.run([git, 'log', f'-n{count}', str(count)])\n",
        [],
    ),
    "a_program_and_a_word": (
        "import shutil\nimport subprocess\ndef f(name: str):\n"
        "    git = shutil.which('git')\n"
        "    subprocess.run([git, 'log', f'-n{name}'])\n",
        ["B603 low"],
    ),
    "a_header_of_its_own": (
        HEAD + "@tool\ndef f() -> str:\n    keys = {'crm': 1}\n"
        "    return ask({'Authorization': f'Bearer {KEYS.get(1)}'})\n",
        [],
    ),
}
