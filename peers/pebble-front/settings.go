package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// settings are Pebble's features that ca.json cannot express, as a riser.toml: its challenges, its
// profiles, and what its environment variables set.
func (a *authority) settings(config configuration) (string, error) {
	var text strings.Builder
	names := slices.Sorted(maps.Keys(config.Pebble.Profiles))
	for _, name := range names {
		profile := config.Pebble.Profiles[name]
		fmt.Fprintf(&text, "[profile.%q]\n", name)
		if profile.Description != "" {
			fmt.Fprintf(&text, "description = %q\n", profile.Description)
		}
		if profile.ValidityPeriod != 0 {
			fmt.Fprintf(&text, "life = \"%ds\"\n", profile.ValidityPeriod)
		}
	}
	// Pebble's number of further roots.
	further, _ := strconv.Atoi(os.Getenv("PEBBLE_ALTERNATE_ROOTS"))
	var chains []string
	for number := 1; number <= further; number++ {
		file, err := a.alternate(number)
		if err != nil {
			return "", err
		}
		chains = append(chains, file)
	}
	a.roots = 1 + len(chains)
	if len(chains) > 0 {
		fmt.Fprintf(&text, "[chains]\nalternates = %s\n", list(chains))
	}
	text.WriteString("[provisioner.acme]\n")
	challenges := []string{"http-01", "dns-01", "tls-alpn-01", "dns-account-01"}
	fmt.Fprintf(&text, "challenges = %s\n", list(challenges))
	if os.Getenv("PEBBLE_AUTHZREUSE") == "100" {
		text.WriteString("authorization_reuse = \"1h\"\n")
	}
	if len(names) > 0 {
		fmt.Fprintf(&text, "profiles = %s\n", list(names))
	}
	var denied []string
	for _, name := range config.Pebble.DomainBlocklist {
		denied = append(denied, name, "*."+name)
	}
	if len(denied) > 0 {
		fmt.Fprintf(&text, "[provisioner.acme.policy]\ndeny_dns = %s\n", list(denied))
	}
	return text.String(), nil
}

// externalKeys records the keys of the configuration; each binds any number of accounts.
func (a *authority) externalKeys(config configuration) error {
	for id, key := range config.Pebble.ExternalAccountMACKeys {
		file := a.path("hmac-key")
		if err := os.WriteFile(file, []byte(key), 0o600); err != nil {
			return err
		}
		add := a.command(a.step, "ca", "acme", "eab", "add", "acme", "--accounts", "4294967295",
			"--id", id, "--hmac-key-file", file)
		if output, err := add.CombinedOutput(); err != nil {
			return fmt.Errorf("the external account key %q: %w\n%s", id, err, output)
		}
	}
	return nil
}

// longest is the life of the profile with the longest one, and a day at the least.
func (c configuration) longest() time.Duration {
	longest := 24 * time.Hour
	for _, profile := range c.Pebble.Profiles {
		longest = max(longest, time.Duration(profile.ValidityPeriod)*time.Second)
	}
	return longest
}

// list is an array of TOML.
func list(words []string) string {
	quoted := make([]string, len(words))
	for index, word := range words {
		quoted[index] = strconv.Quote(word)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
