# `.ci/run` calls peers, lint, docs, test, interop and demo in this order.
#   make demo      builds a CA from an empty folder, requests a certificate by ACME and verifies it
#   make test      installs the peers and runs every test; EXCEPT="interop:: third_party::" skips some
#   make interop   runs only the tests against other programs (certbot, lego, smallstep's step and step-ca, …)
#   make fuzz      runs the parsers on many almost valid inputs; TARGET=csr selects one, CASES=… sets the number
#   make bench     compares the cost of a certificate with smallstep's step-ca and Pebble, where they are installed
#   make bench-million  measures a store of a million certificates
#   make figures   prints sizes and times
.PHONY: demo build test interop fuzz bench bench-million figures lint docs dist peers clean-peers

CARGO ?= cargo
LOCKED = --locked

demo:
	@scripts/demo

# Both binaries and all tests in one build, so that they share one set of features.
build:
	$(CARGO) build $(LOCKED) --workspace --bins --tests

# Runs every test, then prints the table client x challenge x outcome.
# EXCEPT names tests to skip: `.ci/run` leaves those of `make interop` to that target.
EXCEPT ?=
test: build peers
	@rm -f target/interop/*.row
	@$(CARGO) test $(LOCKED) --workspace --no-fail-fast -- $(addprefix --skip ,$(EXCEPT)); \
		tested=$$?; scripts/interop-table && exit $$tested

peers:
	peers/install

# Runs the tests against other programs. Fails where a peer is absent that
# tests/interop/absent.toml does not list.
interop: build peers
	@rm -f target/interop/*.row
	@RISER_ABSENT=fails $(CARGO) test $(LOCKED) --workspace --no-fail-fast --test acceptance -- interop:: third_party::; \
		tested=$$?; RISER_ROWS=required scripts/interop-table && exit $$tested

# Runs each fuzz target on CASES inputs that SEED selects (`cargo test` runs each for about a second on the
# same inputs every time). A failing input is minimised, printed, and kept under target/fuzz.
CASES ?= 200000
TARGET ?=
SEED ?= $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')
fuzz:
	FUZZ_CASES=$(CASES) PROPTEST_RNG_SEED=$(SEED) $(CARGO) test $(LOCKED) -p fuzz $(if $(TARGET),targets::$(TARGET)::) -- --nocapture

# Puts the same load on Riser, smallstep's step-ca and Pebble, in turns, for about ten minutes. ONLY="http-01 nonce"
# selects what clients do; BENCH_ROUNDS and BENCH_SECONDS shorten it. What `make dist` has built takes part.
ONLY ?=
bench:
	$(CARGO) build $(LOCKED) --release --bins
	$(CARGO) bench $(LOCKED) -p benches --bench issuance -- $(ONLY)

# Fills a store with a million certificates (RISER_MILLION sets how many) and measures searches, a start, issuance and a
# sweep on it. The file stays in target/million; 3 GB, and three times that while it runs.
bench-million:
	$(CARGO) build $(LOCKED) --release --bins
	$(CARGO) bench $(LOCKED) -p benches --bench million

figures:
	@scripts/figures

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings
	scripts/deny

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(LOCKED) --workspace --no-deps

# Builds the binaries to ship: link-time optimised and stripped.
dist:
	$(CARGO) build $(LOCKED) --profile dist --bin step --bin step-ca
	@ls -l target/dist/step target/dist/step-ca

clean-peers:
	rm -rf target/peers
