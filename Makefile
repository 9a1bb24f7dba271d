# Everything here works in an empty environment (`env -i make demo`): no PATH, no HOME, no locale.
# What people type: demo, test, check, bench, campaign, install, deb, bundle, docs, clean.

export PATH := $(if $(PATH),$(PATH):)/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME := $(or $(HOME),$(CURDIR)/.venv/home)
export LC_ALL := C.UTF-8
# uv brings its own list of certificate authorities; a machine behind an inspecting proxy has another.
export UV_SYSTEM_CERTS := 1

SHELL := /bin/sh
.SHELLFLAGS := -euc
.ONESHELL:
.NOTPARALLEL:
.PHONY: install demo test check bench before peers campaign clean dev debian node promtool

BIN := .venv/bin
# What the tests run beside Python: a broker, a database, a browser, a time-series store, a font with Chinese, systemd-analyze,
# a C compiler, node, a Modbus client and a Modbus library in C.
DEBIAN := mosquitto postgresql chromium victoria-metrics fonts-wqy-microhei systemd python3-venv gcc libc6-dev nodejs mbpoll \
	libmodbus-dev libreoffice-calc-nogui

install: .venv/installed
	@echo "installed in $$(cat $<) s"

# Ctrl-C reaches the demo: it takes the place of the recipe's shell.
demo: .venv/installed
	@GANPO_DEMO_INSTALLED_S=$$(cat .venv/installed) exec $(BIN)/ganpo-demo $(ARGS)

# Types are looked at while what the tests run beside Python is fetched: the one waits for the processor, the other for the net.
test: dev
	@mkdir -p build
	($(lint)) >build/lint.txt 2>&1 & lint=$$!
	$(MAKE) -s debian node promtool
	wait $$lint || { cat build/lint.txt; exit 1; }
	cat build/lint.txt
	$(BIN)/pytest -n 2 --dist worksteal -m "not slow" $(ARGS)

check: dev
	@$(lint)
	$(BIN)/pytest -n 2 tests/unit $(ARGS)

bench: debian dev before
	@$(BIN)/python bench/run.py $(ARGS)

# The commit that figures are compared with, in an environment of its own; a clone without it compares with nothing.
before:
	@commit=$$(cat bench/before)
	if ! git cat-file -e "$$commit^{commit}" 2>/dev/null; then
	    echo "before: $$commit is not in this clone (git fetch --unshallow): its column is left out"
	    exit 0
	fi
	if [ "$$(cat build/before/commit 2>/dev/null)" != "$$commit" ]; then
	    rm -rf build/before
	    mkdir -p build/before
	    git archive -o build/before.tar "$$commit"
	    tar -xf build/before.tar -C build/before
	    rm build/before.tar
	    echo "$$commit" >build/before/commit
	fi
	$(MAKE) -sC build/before dev >&2

# Telegraf, which the figures of whole processes stand beside, built from source where Go is; outside the tests.
TELEGRAF := v1.39.3
TELEGRAF_TAGS := custom,inputs.modbus,inputs.opcua,outputs.mqtt,serializers.influx
peers:
	@command -v go >/dev/null || { echo "peers: there is no go here: the columns of Telegraf are left out"; exit 0; }
	[ "$$(cat build/peers/version 2>/dev/null)" != "$(TELEGRAF)" ] || exit 0
	mkdir -p build/peers
	source=$$(go mod download -json github.com/influxdata/telegraf@$(TELEGRAF) | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p')
	here=$$PWD
	cd "$$source"
	go build -buildvcs=false -tags $(TELEGRAF_TAGS) -o "$$here/build/peers/telegraf" ./cmd/telegraf
	echo "$(TELEGRAF)" >"$$here/build/peers/version"

# Kills, damage, random histories and wrong answers in their long form: hours, and alone on the machine.
campaign: debian dev node promtool
	@GANPO_CAMPAIGN=1 $(BIN)/pytest -s -m "campaign or slow" $(ARGS)

.PHONY: deb deb-test bundle docs
# Packages of gateway and collector for Debian 12, in build/deb; ARGS="--architecture arm64" for the other kind of box.
deb: dev
	@command -v dpkg-deb >/dev/null || { echo "deb: as root, apt-get install dpkg" >&2; exit 1; }
	$(BIN)/python -m deploy.deb.build $(ARGS)

# The documentation as a site, in build/site: zh and en, with search, to be read without internet.
docs: dev
	$(BIN)/python -m deploy.docs.site $(ARGS)

# For machines without internet: every wheel for x86_64 and aarch64, by hash, with a script that installs them, in build/bundle.
bundle: dev
	$(BIN)/python -m deploy.bundle.build $(ARGS)

# Installs, upgrades and removes them in a small Debian of its own, from the mirrors of this machine; as root, some minutes.
deb-test: dev
	@command -v mmdebstrap >/dev/null || apt-get install -qy --no-install-recommends mmdebstrap
	$(BIN)/python -m deploy.deb.trial $(ARGS)

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

dev: .venv/installed-dev

.venv/installed: pyproject.toml
	@$(call install_with)

.venv/installed-dev: pyproject.toml
	@$(call install_with,--group dev --group docs)
	cp $@ .venv/installed

# An OPC UA server that others wrote, for the tests: 17 s once.
node: tests/support/node/node_modules/.package-lock.json

tests/support/node/node_modules/.package-lock.json: tests/support/node/package-lock.json
	@command -v npm >/dev/null || apt-get install -qy --no-install-recommends npm
	cd tests/support/node
	NODE_USE_SYSTEM_CA=1 npm ci --silent --ignore-scripts --no-audit --no-fund --omit=dev --omit=optional
	touch node_modules/.package-lock.json

# promtool, from Debian's package of Prometheus: unpacked, not installed, for that would start a server on this machine.
promtool: build/prometheus/usr/bin/promtool

build/prometheus/usr/bin/promtool:
	@command -v dpkg >/dev/null || { echo "not a Debian: the tests of metrics and alerts need promtool"; exit 0; }
	mkdir -p build/prometheus
	cd build/prometheus
	apt-get download -q prometheus || { apt-get update -q && apt-get download -q prometheus; }
	dpkg -x prometheus_*.deb .
	rm prometheus_*.deb usr/bin/prometheus

debian:
	@command -v dpkg-query >/dev/null || { echo "not a Debian: the tests need what Debian calls $(DEBIAN)"; exit 0; }
	missing=
	for package in $(DEBIAN); do
	    dpkg-query -W -f '$${db:Status-Status}\n' "$$package" 2>/dev/null | grep -qx installed || missing="$$missing $$package"
	done
	[ -n "$$missing" ] || exit 0
	[ "$$(id -u)" = 0 ] || { echo "the tests need Debian packages; as root: apt-get install$$missing" >&2; exit 1; }
	apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $$missing

define lint
$(BIN)/ruff check .
$(BIN)/ruff format --check .
$(BIN)/mypy
MYPYPATH=tests:bench $(BIN)/mypy --explicit-package-bases tests bench deploy
$(BIN)/lint-imports
endef

# Install the project as it lies here, with uv, or with pip where uv cannot be had. $(1): more for uv to install.
# The seconds it took stay in the target: `make demo` tells them.
define install_with
start=$$(date +%s)
if ! $(BIN)/python -c pass 2>/dev/null; then
    for python in python3 python3.14 python3.13 python3.12 python3.11 none; do
        $$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
    done
    [ $$python != none ] || { echo "no Python >= 3.11 with venv here; on Debian, as root: apt-get install python3-venv" >&2; exit 1; }
    $$python -m venv --clear .venv
fi
mkdir -p "$$HOME"
index=$$($(BIN)/python -m pip config get global.index-url 2>/dev/null || true)
[ -z "$$index" ] || export UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$index}"
if $(BIN)/python -m pip install -q --disable-pip-version-check uv && $(BIN)/uv pip install --python $(BIN)/python -e '.[demo]' $(1); then
    :
else
    echo "without uv: pip does the work, and takes longer"
    $(BIN)/python -c 'import tomllib; groups = tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]; print(*groups["dev"], *groups["docs"], sep="\n")' >.venv/dev.txt
    $(BIN)/python -m pip install --disable-pip-version-check -e '.[demo]' $(if $(1),-r .venv/dev.txt)
fi
[ -e cloud/ganpo_cloud/web/static/vendor/echarts.min.js ] || echo "the pages come without charts: npm or its registry could not be reached; touch pyproject.toml and install again where it can" >&2
echo $$(($$(date +%s) - start)) >$@
endef
