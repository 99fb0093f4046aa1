// The program pebble-front accepts Pebble's command line and configuration and serves Riser
// instead, so that the tests of client libraries which start a Pebble run against Riser. It creates
// a CA in a directory of its own, starts step-ca on it, and forwards requests to it, presenting the
// certificate of the configuration. /dir is the ACME directory; the management port has the chain.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// configuration has the settings of Pebble that are used here.
type configuration struct {
	Pebble struct {
		ListenAddress           string
		ManagementListenAddress string
		Certificate             string
		PrivateKey              string
		HTTPPort                int
		TLSPort                 int
		DomainBlocklist         []string
		Profiles                map[string]struct {
			Description    string
			ValidityPeriod uint64
		}
		ExternalAccountBindingRequired bool
		ExternalAccountMACKeys         map[string]string
	}
}

// authority is a CA directory and its server.
type authority struct {
	folder, inner, step, stepCA string
	// roots is the number of roots that certificates chain to.
	roots int
}

func main() {
	// The kernel ends the server with the thread that started it.
	runtime.LockOSThread()
	log.SetFlags(0)
	log.SetPrefix("pebble-front: ")
	file := flag.String("config", "", "Pebble's configuration")
	resolver := flag.String("dnsserver", "", "DNS server to ask")
	flag.Bool("strict", false, "taken and passed over")
	flag.Parse()
	if err := run(*file, *resolver); err != nil {
		log.Fatal(err)
	}
}

func run(file, resolver string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var config configuration
	if err := json.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	pebble := config.Pebble
	// Suites wait a few seconds for a connection: it is accepted now, and served when the server is ready.
	listener, err := listen(pebble.ListenAddress)
	if err != nil {
		return err
	}
	management, err := listen(pebble.ManagementListenAddress)
	if err != nil {
		return err
	}
	riser, err := create(config, os.Getenv("RISER_STEP"), os.Getenv("RISER_STEP_CA"))
	if err != nil {
		return err
	}
	defer os.RemoveAll(riser.folder)
	ended, err := riser.start(config, resolver)
	if err != nil {
		return err
	}
	if err := riser.externalKeys(config); err != nil {
		return err
	}
	front, err := riser.front()
	if err != nil {
		return err
	}
	chain := http.NewServeMux()
	chain.HandleFunc("/roots/0", riser.certificate("root_ca.crt"))
	chain.HandleFunc("/intermediates/0", riser.certificate("intermediate_ca.crt"))
	for number := 1; number < riser.roots; number++ {
		root, intermediate := fmt.Sprintf("root_%d.crt", number), fmt.Sprintf("intermediate_%d.crt", number)
		chain.HandleFunc(fmt.Sprintf("/roots/%d", number), riser.certificate(root))
		chain.HandleFunc(fmt.Sprintf("/intermediates/%d", number), riser.certificate(intermediate))
	}
	serve := func(listener net.Listener, handler http.Handler) {
		if listener != nil {
			ended <- http.ServeTLS(listener, handler, pebble.Certificate, pebble.PrivateKey)
		}
	}
	go serve(listener, front)
	go serve(management, chain)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	select {
	case <-stop:
		return nil
	case err := <-ended:
		return err
	}
}

// listen opens a listening socket; an empty address is none.
func listen(address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	return net.Listen("tcp", address)
}

// create makes an authority with an ACME provisioner.
func create(config configuration, step, stepCA string) (*authority, error) {
	folder, err := os.MkdirTemp("", "pebble-front-")
	if err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	inner := free.Addr().String()
	free.Close()
	riser := &authority{folder: folder, inner: inner, step: step, stepCA: stepCA}
	if err := os.WriteFile(riser.path("password"), []byte("front\n"), 0o600); err != nil {
		return nil, err
	}
	commands := [][]string{
		{"ca", "init", "--name", "Pebble", "--provisioner", "admin", "--deployment-type", "standalone",
			"--dns", "localhost", "--dns", "127.0.0.1", "--dns", "::1", "--address", inner,
			"--password-file", riser.path("password")},
		{"ca", "provisioner", "add", "acme", "--type", "ACME"},
	}
	for _, arguments := range commands {
		if output, err := riser.command(step, arguments...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("step %v: %w\n%s", arguments, err, output)
		}
	}
	ours, err := riser.settings(config)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(riser.path("config", "riser.toml"), []byte(ours), 0o600); err != nil {
		return nil, err
	}
	return riser, riser.provisioner(config)
}

// provisioner gives the provisioner what only ca.json expresses: terms of service, which accounts have to
// agree to, whether they need an external account key, and claims that permit every profile.
func (a *authority) provisioner(config configuration) error {
	file := a.path("config", "ca.json")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var whole map[string]any
	if err := json.Unmarshal(text, &whole); err != nil {
		return err
	}
	section, _ := whole["authority"].(map[string]any)
	provisioners, _ := section["provisioners"].([]any)
	for _, one := range provisioners {
		if provisioner, ok := one.(map[string]any); ok && provisioner["type"] == "ACME" {
			provisioner["termsOfService"] = "data:text/plain,agreed"
			provisioner["requireEAB"] = config.Pebble.ExternalAccountBindingRequired
			provisioner["claims"] = map[string]string{"maxTLSCertDuration": config.longest().String()}
		}
	}
	if text, err = json.Marshal(whole); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// start starts the server and waits until it is healthy; the channel reports its end.
func (a *authority) start(config configuration, resolver string) (chan error, error) {
	arguments := []string{a.path("config", "ca.json"), "--password-file", a.path("password"), "--insecure",
		"--acme-http-port", strconv.Itoa(config.Pebble.HTTPPort), "--acme-tls-port", strconv.Itoa(config.Pebble.TLSPort)}
	if resolver != "" {
		arguments = append(arguments, "--resolver", resolver)
	}
	server := a.command(a.stepCA, arguments...)
	server.Stdout, server.Stderr = os.Stdout, os.Stderr
	// The server ends with this program, however this program ends.
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := server.Start(); err != nil {
		return nil, err
	}
	ended := make(chan error, 3)
	go func() { ended <- fmt.Errorf("step-ca: %v", server.Wait()) }()
	for range 200 {
		if connection, err := net.Dial("tcp", a.inner); err == nil {
			connection.Close()
			return ended, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil, fmt.Errorf("step-ca does not listen on %s", a.inner)
}

// front forwards every request unchanged, with its host; only the directory has another path.
func (a *authority) front() (http.Handler, error) {
	root, err := os.ReadFile(a.path("certs", "root_ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	behind := &url.URL{Scheme: "https", Host: a.inner}
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(behind)
			request.Out.Host = request.In.Host
			if request.Out.URL.Path == "/dir" && request.In.Method == http.MethodGet {
				request.Out.URL.Path = "/acme/acme/directory"
			}
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}},
	}, nil
}

// certificate serves one of the authority's certificates.
func (a *authority) certificate(name string) http.HandlerFunc {
	return func(answer http.ResponseWriter, request *http.Request) {
		answer.Header().Set("Content-Type", "application/pem-certificate-chain; charset=utf-8")
		http.ServeFile(answer, request, a.path("certs", name))
	}
}

func (a *authority) path(parts ...string) string {
	return filepath.Join(append([]string{a.folder}, parts...)...)
}

func (a *authority) command(program string, arguments ...string) *exec.Cmd {
	command := exec.Command(program, arguments...)
	command.Env = []string{"STEPPATH=" + a.folder, "HOME=" + a.folder, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	return command
}
