// Command goverify parses a certificate with Go's crypto/x509, verifies it,
// and prints its contents as JSON.
//
//	goverify -roots root.pem [-host name] chain.pem
//
// The chain file holds the leaf first. Exit 1 and a line on stderr where Go
// refuses to read or to verify it.
package main

import (
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// seen has the contents of the leaf as Go parses them.
type seen struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Serial      string    `json:"serial"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	DNSNames    []string  `json:"dns_names"`
	IPAddresses []string  `json:"ip_addresses"`
	KeyUsage    int       `json:"key_usage"`
	ExtKeyUsage []int     `json:"ext_key_usage"`
	IsCA        bool      `json:"is_ca"`
	SubjectKey  string    `json:"subject_key_id"`
	Authority   string    `json:"authority_key_id"`
	Signature   string    `json:"signature_algorithm"`
	PublicKey   string    `json:"public_key_algorithm"`
	Extensions  []string  `json:"extensions"`
	Unhandled   int       `json:"unhandled_critical"`
	ChainLength int       `json:"chain_length"`
}

func main() {
	roots := flag.String("roots", "", "PEM file of the roots to trust")
	host := flag.String("host", "", "name or address that the leaf must be for")
	flag.Parse()
	report, err := verify(*roots, *host, flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	out, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(out))
}

func verify(rootsFile, host, chainFile string) (*seen, error) {
	chain, err := certificates(chainFile)
	if err != nil {
		return nil, err
	}
	trusted, err := certificates(rootsFile)
	if err != nil {
		return nil, err
	}
	options := x509.VerifyOptions{
		DNSName:       host,
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, root := range trusted {
		options.Roots.AddCert(root)
	}
	for _, intermediate := range chain[1:] {
		options.Intermediates.AddCert(intermediate)
	}
	paths, err := chain[0].Verify(options)
	if err != nil {
		return nil, err
	}
	return describe(chain[0], len(paths[0])), nil
}

func describe(leaf *x509.Certificate, length int) *seen {
	report := &seen{
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(), Serial: leaf.SerialNumber.String(),
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, DNSNames: leaf.DNSNames,
		KeyUsage: int(leaf.KeyUsage), IsCA: leaf.IsCA,
		SubjectKey: hex.EncodeToString(leaf.SubjectKeyId), Authority: hex.EncodeToString(leaf.AuthorityKeyId),
		Signature: leaf.SignatureAlgorithm.String(), PublicKey: leaf.PublicKeyAlgorithm.String(),
		Unhandled: len(leaf.UnhandledCriticalExtensions), ChainLength: length,
	}
	for _, address := range leaf.IPAddresses {
		report.IPAddresses = append(report.IPAddresses, address.String())
	}
	for _, usage := range leaf.ExtKeyUsage {
		report.ExtKeyUsage = append(report.ExtKeyUsage, int(usage))
	}
	for _, extension := range leaf.Extensions {
		report.Extensions = append(report.Extensions, extension.Id.String())
	}
	return report
}

func certificates(file string) ([]*x509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, errors.New(file + ": no certificate")
	}
	return found, nil
}
