# Two commands do everything on a fresh Debian or Ubuntu machine with Swift: `make demo` and `make test`.

PACKAGES = libuv1-dev pkg-config
TEST_PACKAGES = $(PACKAGES) python3
# Declared dependencies only: an arrow of the house that the manifest does not have is an error.
IMPORT_CHECK = --explicit-target-dependency-import-check error

.PHONY: help lint-arm image container-test hostile hostile-quick soak cycles memory-return demo test build release lint format test-metrics bench-scrape bench-frame bench bench-quick bench-setup bench-failures bench-scale simulate vectors setup test-setup clean
.PHONY: bench-instructions bench-micro bench-inputs profile
.PHONY: bench-builds mutants immunity fuzz fuzz-smoke fuzz-corpus tsan asan

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

demo: release ## a server, 1,000 bots against it with a live view, a verdict
	@scripts/demo.sh

test: test-setup lint ## format lint, build, all tests
	scripts/check-purity.sh
	scripts/mutants.py --check
	python3 -m unittest discover -s Tests/Vectors
	python3 Tests/Vectors/check_vectors.py
	python3 -m unittest discover -s scripts/rigs
	python3 -m unittest discover -s Benchmarks/Instructions
	python3 -m unittest discover -s Benchmarks/Profile
	python3 -m unittest discover -s Benchmarks/Scale/scale -t Benchmarks/Scale
	python3 -m unittest discover -s Benchmarks/Comparison
	swift build --build-tests $(IMPORT_CHECK)
	python3 -m unittest discover -s Tests/Failures
	.build/debug/tickserver --config Examples/Relay/walk.yaml --check-config
	scripts/swift-test.sh 4 -c release --filter Allocation
	$(MAKE) --no-print-directory simulate SEEDS=3000
	# One test at a time: some count the descriptors of the process.
	scripts/swift-test.sh 680 --skip-build --no-parallel

build: setup ## everything, for debugging
	swift build $(IMPORT_CHECK)

release: setup ## the programs, optimised
	swift build -c release --product tickserver
	swift build -c release --product botswarm

lint: ## formatting, strictly
	swift format lint --strict --recursive --parallel Sources Tests Examples Benchmarks Package.swift

lint-arm: ## compile what only 64-bit Arm has
	@scripts/install-packages.sh libc6-dev-arm64-cross
	scripts/check-arm.sh

format: ## format all sources in place
	swift format --in-place --recursive --parallel Sources Tests Examples Benchmarks Package.swift

test-metrics: ## a real Prometheus scrapes a server with bots; promtool checks the page
	@scripts/install-packages.sh $(PACKAGES) prometheus curl python3
	swift build --product tickserver
	swift build --product botswarm
	scripts/test-metrics.sh

bench-scrape: release ## tick lateness with a scrape a second against without
	scripts/scrape-cost.sh

image: release ## build the image and run it for a moment: container-test in short (root)
	docker/test/run.sh --bots 40 --seconds 8 --hostile all=7

container-test: release ## build the image, run it in 64 MiB with hostile bots on it
	docker/test/run.sh

hostile: release ## healthy, stalled and hostile bots on a server in 64 MiB: median of 3, report in out/ (root)
	scripts/hostile.sh

hostile-quick: release ## the same, short, without a demand on timing (root)
	scripts/hostile.sh quick

RIGS =
immunity: release ## the rigs of scripts/immunity: RIGS="name ..." for some, FULL=1 for every figure (root)
	@scripts/install-packages.sh iproute2 python3
	swift build -c release --product MatchServer
	swift build -c release --product SleepyClient
	swift build -c release --product HungryGame
	python3 scripts/immunity/run.py $(if $(FULL),--full) $(RIGS)

soak: release ## 10,000 connections held for SOAK_SECONDS=300
	scripts/soak.sh

cycles: release ## 10,000 room hops on one connection, 10,000 connections that vanish
	scripts/cycles.sh

memory-return: release ## does RSS come back after 5,000 players have left?
	scripts/memory-return.sh

bench-frame: setup ## what a tick costs by the number of members
	swift run -c release FrameCost

bench: bench-setup ## TickServer beside the physical floor and rivals from Debian packages: half an hour and more, REPEAT=3
	python3 Benchmarks/Comparison/compare.py

bench-builds: bench-setup ## CPU a frame beside another build, AGAINST=its tickserver, in pairs until the ratio is known
	python3 Benchmarks/Comparison/builds.py $(AGAINST)

bench-quick: bench-setup ## the same with fewer points, once, without demands: about three minutes
	python3 Benchmarks/Comparison/compare.py --quick

bench-instructions: setup ## instructions per frame, input, entity and join, against the committed thresholds
	@scripts/install-packages.sh valgrind binutils gcc libc6-dev python3
	swift build -c release --product InstructionCount
	python3 Benchmarks/Instructions/instructions.py $(if $(UPDATE),--update)

bench-micro: setup ## nanoseconds and allocations of encode, decode, tick, delivery, parse, check; out/micro.json
	@mkdir -p out
	swift build -c release --product MicroBenchmarks
	.build/release/MicroBenchmarks out/micro.json

bench-inputs: release ## what an input costs the server, against a bare read loop in C (root, for steady figures)
	@scripts/install-packages.sh gcc libc6-dev python3
	python3 Benchmarks/InputPath/inputs.py

profile: release ## perf of a busy server: flame graph in out/profile.html (root)
	@scripts/install-packages.sh linux-perf python3
	python3 Benchmarks/Profile/run.py

bench-failures: release ## the two failures side by side, under a memory limit: about four minutes
	swift build -c release --product NaiveServer
	swift build -c release --product FailureClients
	python3 Benchmarks/Failures/run.py

bench-scale: release ## players that one loop and one room hold, two loops against one, cost curves: half an hour (root)
	@scripts/install-packages.sh gcc libc6-dev python3
	$(MAKE) --no-print-directory -C Benchmarks/Comparison core-speed
	python3 Benchmarks/Scale/run.py

SEEDS = 5000
simulate: setup ## random rooms from SEEDS=n seeds, or SEED=n alone, with what must hold checked at every step
	swift build -c release --product RoomSimulator
	SWIFT_BACKTRACE=enable=no .build/release/RoomSimulator --parallel $$(nproc) \
	  $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

SECONDS = 600
fuzz: setup ## libFuzzer with AddressSanitizer on every target, SECONDS=n each; FUZZ_TARGET=name for one
	scripts/fuzz.sh $(SECONDS) $(FUZZ_TARGET)

fuzz-smoke: setup ## the same for a few seconds each
	scripts/fuzz.sh 8 $(FUZZ_TARGET)

fuzz-corpus: setup ## put what fuzzing found interesting into Tests/Fuzz/Corpus
	scripts/fuzz.sh merge $(FUZZ_TARGET)

tsan: setup ## what crosses threads, under ThreadSanitizer
	scripts/sanitize.sh thread

asan: setup ## the engine, the loops and the server, under AddressSanitizer
	scripts/sanitize.sh address

mutants: test-setup ## the code broken on purpose, once for each file of Tests/Mutants: a test must catch each
	scripts/mutants.py

vectors: setup ## write the golden vectors anew
	swift run VectorGenerator Tests/Vectors

setup:
	@scripts/install-packages.sh $(PACKAGES)

RIVALS = nats-server redis-server mosquitto nginx libnginx-mod-nchan nodejs node-ws
bench-setup: setup
	@scripts/install-packages.sh --no-services gcc libc6-dev python3 $(RIVALS)
	swift build -c release --product tickserver
	$(MAKE) --no-print-directory -C Benchmarks/Comparison

test-setup:
	@scripts/install-packages.sh $(TEST_PACKAGES)

clean: ## forget all builds and reports
	rm -rf .build .build-* out
