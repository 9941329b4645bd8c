module cortex.test/images/pause

go 1.26
