package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"time"
)

// alternate makes a further root, root_<number>.crt, and signs the intermediate with it. It returns
// the file of that chain, as riser.toml names it.
func (a *authority) alternate(number int) (string, error) {
	text, err := os.ReadFile(a.path("certs", "intermediate_ca.crt"))
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", fmt.Errorf("intermediate_ca.crt has no certificate")
	}
	intermediate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	root := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: fmt.Sprintf("Pebble Root CA %d", number)},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              intermediate.NotAfter,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	signed, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		return "", err
	}
	if root, err = x509.ParseCertificate(signed); err != nil {
		return "", err
	}
	crossed := &x509.Certificate{
		SerialNumber:          big.NewInt(2),
		RawSubject:            intermediate.RawSubject,
		SubjectKeyId:          intermediate.SubjectKeyId,
		NotBefore:             intermediate.NotBefore,
		NotAfter:              intermediate.NotAfter,
		KeyUsage:              intermediate.KeyUsage,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	chain, err := x509.CreateCertificate(rand.Reader, crossed, root, intermediate.PublicKey, key)
	if err != nil {
		return "", err
	}
	if err := a.writePEM(fmt.Sprintf("root_%d.crt", number), signed); err != nil {
		return "", err
	}
	name := fmt.Sprintf("intermediate_%d.crt", number)
	return "certs/" + name, a.writePEM(name, chain)
}

func (a *authority) writePEM(name string, der []byte) error {
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return os.WriteFile(a.path("certs", name), text, 0o600)
}
