-- A key finds its account by the index of each provisioner's keys: provisioners are few, accounts may be many.

DROP INDEX accounts_by_thumbprint;
