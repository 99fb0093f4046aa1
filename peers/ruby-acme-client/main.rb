#!/usr/bin/env ruby
# Requests a certificate with Ruby's acme-client, renews it with a new account key, and revokes the first.
#   ruby-acme-client DIRECTORY ROOT WEB NAME CHAIN
# Files for http-01 go to WEB; CHAIN is the file of the chain.
require 'acme-client'

directory, root, web, name, chain = ARGV

def await(thing, *waiting)
  while waiting.include?(thing.status)
    sleep 0.1
    thing.reload
  end
  thing.status
end

def order(client, web, name)
  order = client.new_order(identifiers: [name])
  order.authorizations.each do |authorization|
    challenge = authorization.http
    File.write(File.join(web, challenge.token), challenge.file_content)
    challenge.request_validation
    status = await(challenge, 'pending', 'processing')
    abort "challenge #{status}: #{challenge.error}" unless status == 'valid'
  end
  await(order, 'pending')
  key = OpenSSL::PKey::EC.generate('prime256v1')
  order.finalize(csr: Acme::Client::CertificateRequest.new(private_key: key, names: [name]))
  await(order, 'processing')
  order.certificate
end

key = OpenSSL::PKey::EC.generate('prime256v1')
client = Acme::Client.new(private_key: key, directory: directory,
                          connection_options: { ssl: { ca_file: root } })
client.new_account(contact: 'mailto:a@example.com', terms_of_service_agreed: true)
first = order(client, web, name)
client.account_key_change(new_private_key: OpenSSL::PKey::EC.generate('prime256v1'))
File.write(chain, order(client, web, name))
client.revoke(certificate: first, reason: 4)
status = client.account_deactivate.status
abort "account #{status}" unless status == 'deactivated'
