"""OBS's virtual camera as other programs see it: a guest with a camera driver, OBS in it, and two readers.

A build machine's kernel often has no ``/dev/video``. The guest is Debian 12 under user-mode Linux, an ordinary program: code
runs at full speed, on one processor. In it OBS runs with FaceLive's script, filter and engine and its virtual camera started.
ffmpeg reads the camera; and Chromium does, by ``getUserMedia``, and sends it through a WebRTC call with itself, as meetings do.

    python -m tools.vcam build FOLDER                  the guest, once: 4 GB, some minutes; root on Debian 12
    export FACELIVE_VCAM=FOLDER
    python -m tools.vcam report --out DIR              boots it, reads the camera, judges the pictures
    python -m tools.vcam run 'v4l2-ctl --list-devices' any command in it
"""
