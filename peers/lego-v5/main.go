// Command lego-v5 gets one certificate with lego's library.
//
// lego's own command pulls in every DNS provider; as a library it needs a
// dozen modules. The answer is the exit code: 0 and two files, or 1 and the
// library's own words on stderr.
package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/go-acme/lego/v5/acme"
	"github.com/go-acme/lego/v5/certcrypto"
	"github.com/go-acme/lego/v5/certificate"
	"github.com/go-acme/lego/v5/challenge/http01"
	"github.com/go-acme/lego/v5/challenge/tlsalpn01"
	"github.com/go-acme/lego/v5/lego"
	"github.com/go-acme/lego/v5/registration"
)

// user is an account that lives for one run.
type user struct {
	key     crypto.Signer
	account *acme.ExtendedAccount
}

func (u *user) GetEmail() string                       { return "" }
func (u *user) GetRegistration() *acme.ExtendedAccount { return u.account }
func (u *user) GetPrivateKey() crypto.Signer           { return u.key }

func main() {
	server := flag.String("server", "", "directory URL")
	domains := flag.String("domains", "", "names and addresses, separated by commas")
	challenge := flag.String("challenge", "http-01", "http-01 or tls-alpn-01")
	port := flag.String("http-port", "80", "port on which http-01 is served")
	tlsPort := flag.String("tls-port", "443", "port on which tls-alpn-01 is served")
	crt := flag.String("crt", "", "file for the certificate chain")
	key := flag.String("key", "", "file for the private key")
	preferred := flag.String("preferred-chain", "", "common name of the root whose chain is wanted")
	renew := flag.Bool("renew", false, "ask when to renew, and renew at once, naming what is replaced")
	flag.Parse()
	serve := func(client *lego.Client) error {
		switch *challenge {
		case "http-01":
			return client.Challenge.SetHTTP01Provider(http01.NewProviderServer("", *port))
		case "tls-alpn-01":
			return client.Challenge.SetTLSALPN01Provider(tlsalpn01.NewProviderServer("", *tlsPort))
		}
		return fmt.Errorf("unknown challenge %q", *challenge)
	}
	request := certificate.ObtainRequest{
		Domains:        strings.Split(*domains, ","),
		KeyType:        certcrypto.EC256,
		Bundle:         true,
		PreferredChain: *preferred,
	}
	if err := run(*server, request, serve, *crt, *key, *renew); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(server string, request certificate.ObtainRequest, serve func(*lego.Client) error, crt, key string, renew bool) error {
	ctx := context.Background()
	accountKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	account := &user{key: accountKey}
	config := lego.NewConfig(account)
	config.CADirURL = server
	client, err := lego.NewClient(config)
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	if err := serve(client); err != nil {
		return err
	}
	account.account, err = client.Registration.Register(ctx, registration.RegisterOptions{TermsOfServiceAgreed: true})
	if err != nil {
		return fmt.Errorf("account: %w", err)
	}
	got, err := client.Certificate.Obtain(ctx, request)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	if renew {
		if got, err = renewed(ctx, client, got); err != nil {
			return fmt.Errorf("renewal: %w", err)
		}
	}
	if err := os.WriteFile(crt, got.Certificate, 0o600); err != nil {
		return err
	}
	return os.WriteFile(key, got.PrivateKey, 0o600)
}

// renewed asks for the window of a certificate (RFC 9773), prints it, and replaces the certificate.
func renewed(ctx context.Context, client *lego.Client, old *certificate.Resource) (*certificate.Resource, error) {
	chain, err := certcrypto.ParsePEMBundle(old.Certificate)
	if err != nil {
		return nil, err
	}
	info, err := client.Certificate.GetRenewalInfo(ctx, chain[0])
	if err != nil {
		return nil, err
	}
	window := info.SuggestedWindow
	if !window.Start.Before(window.End) || !window.End.Before(chain[0].NotAfter) {
		return nil, fmt.Errorf("the window is %v to %v", window.Start, window.End)
	}
	fmt.Println("renew between", window.Start, "and", window.End)
	return client.Certificate.Renew(ctx, *old, &certificate.RenewOptions{
		KeyType:      certcrypto.EC256,
		Bundle:       true,
		UseARICertID: true,
	})
}
