"""Programs that the tests start or serve: nothing in them knows which loop they run on."""
