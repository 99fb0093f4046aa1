# One target per promise; `.ci/run` calls peers, lint, docs, test, interop and demo in this order.
#   make demo      from nothing to a verified certificate, got by ACME
#   make test      installs the peers, runs every test; a peer that cannot be had is reported as absent
#   make interop   the same for the tests against certbot, lego, the real step and step-ca alone
#   make fuzz      the parsers under many inputs that are nearly right; TARGET=csr for one, CASES=… for how many
#   make figures   sizes and times as the README quotes them
.PHONY: demo build test interop fuzz bench figures lint docs dist peers clean-peers

CARGO ?= cargo
LOCKED = --locked

demo:
	@scripts/demo

# Both binaries as the tests start them, and the tests, with one set of features.
build:
	$(CARGO) build $(LOCKED) --workspace --bins --tests

# Ends with the table client x challenge x outcome: a peer that cannot be had is absent.
test: build peers
	@rm -f target/interop/*.row
	@$(CARGO) test $(LOCKED) --workspace --no-fail-fast; tested=$$?; scripts/interop-table && exit $$tested

peers:
	peers/install

# Only the tests against other programs, all installed; an absence that
# tests/interop/absent.toml does not list fails, as it does where CI is set.
interop: build peers
	@rm -f target/interop/*.row
	@RISER_ABSENT=fails $(CARGO) test $(LOCKED) --workspace --test acceptance -- interop:: third_party::; \
		tested=$$?; RISER_ROWS=required scripts/interop-table && exit $$tested

# What `cargo test` does for a second a target, for long: CASES inputs each. An input that breaks a
# promise is made small, kept under target/fuzz, and shown.
CASES ?= 200000
TARGET ?=
fuzz:
	FUZZ_CASES=$(CASES) $(CARGO) test $(LOCKED) -p fuzz $(if $(TARGET),targets::$(TARGET)::) -- --nocapture

# The same load on ours, the real step-ca and Pebble, where those are installed.
bench:
	$(CARGO) build $(LOCKED) --release --bins
	$(CARGO) bench $(LOCKED) -p benches

figures:
	@scripts/figures

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings
	scripts/deny

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc $(LOCKED) --workspace --no-deps

# What is shipped: link-time optimised, stripped.
dist:
	$(CARGO) build $(LOCKED) --profile dist --bin step --bin step-ca
	@ls -l target/dist/step target/dist/step-ca

clean-peers:
	rm -rf target/peers
