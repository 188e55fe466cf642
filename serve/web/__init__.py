"""The trader's page and the pages of the API's description, with everything they load."""
