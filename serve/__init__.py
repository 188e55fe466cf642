"""The service: recommends dealers from the published snapshot, runs RFQs over FIX, and journals both."""
