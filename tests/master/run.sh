#!/bin/sh
# master and services as processes.
exec "${srcdir:-.}/tests/lib/pytest.sh" -m \
	master/test_service master/test_library master/test_check master/test_watch master/test_master master/test_bad_input master/test_storm
