"""The way to OpenStack. The only importer of `openstack` and `keystoneauth1`; everything above sees plain dicts.

`contract` says what a resource type may do with a cloud; `errors` what can come back.
"""
